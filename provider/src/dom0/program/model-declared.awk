# What is declared

function load_fragments(  i, j, id, part) {
  for (i = 1; i <= files; i++)
    if (fragment_file(i, file[i])) order[++fragments] = i
    else { broken[++broken_count] = printable(file[i] " " problem[i]); broken_name[broken_count] = name_of(file[i]) }
  j = split(irregular, part, " ")
  for (i = 1; i <= j; i++) { broken[++broken_count] = part[i] ".fragment is not a regular file"; broken_name[broken_count] = part[i] }
  for (i = 2; i <= fragments; i++) {
    id = order[i]
    for (j = i - 1; j >= 1 && comes_before(id, order[j]); j--) order[j + 1] = order[j]
    order[j + 1] = id
  }
  stored_refused = " " whole_file(run "/refused"); gsub(/\n/, " ", stored_refused)
}
function comes_before(a, b) {
  if (value_of(a, "serial") + 0 != value_of(b, "serial") + 0) return value_of(a, "serial") + 0 > value_of(b, "serial") + 0
  return field[a, "token"] < field[b, "token"]
}
function former_line(  n, part) {
  n = split($0, part, " ")
  if (n == 5) { former[++formers] = $0; has_former[part[1], part[2], part[3], part[4]] = part[5] }
}
# The bridge that a network has, or nothing while nobody knows it.
function bridge_name(uuid) { return (uuid in bridge) ? bridge[uuid] : "" }
function has_bridge_record(uuid) { return (uuid in untold) ? is_interface(cache_name[uuid]) : bridge_name(uuid) != "" }
# False when a name must be asked for first; the shell does that and calls again.
function resolve_bridges(  i, uuid, name, ask, was) {
  ask = 0
  for (i = 1; i <= fragments; i++) {
    uuid = field[order[i], "network"]
    if (uuid in network_seen) continue
    network_seen[uuid] = 1; networks[++network_count] = uuid
    name = (uuid in cache_name) ? cache_name[uuid] : ""
    if (!is_interface(name)) name = ""
    if ((uuid in cache_index) && cache_index[uuid] == "?") {
      if (name != "") { bridge[uuid] = name; fresh = 1; cache_index[uuid] = index_of(name); cache_highest[uuid] = highest }
    } else if ((uuid in cache_index) && cache_index[uuid] ~ /^old:/) {
      # The record stays as it was, so it is asked again the next time.
      split(cache_index[uuid], was, ":"); untold[uuid] = 1
      cache_index[uuid] = was[2]; cache_name[uuid] = was[3]
      if (name != "" && !(name in ifindex)) bridge[uuid] = name
    } else if (name != "" && ((name in ifindex) ? ifindex[name] == cache_index[uuid] : highest <= cache_highest[uuid])) bridge[uuid] = name
    else if (!off) { print "resolve " uuid; ask = 1 }
    else if (name != "") bridge[uuid] = name
  }
  return !ask
}
function resolve_fragments(  i) { for (i = 1; i <= fragments; i++) resolve_fragment(order[i]) }
function resolve_fragment(id,  r, s, line, ext_if, ext_ip, br, lack) {
  br = bridge_name(field[id, "network"])
  ext_if = value_of(id, "external-interface"); if (ext_if == "" || ext_if == "auto") ext_if = external
  ext_ip = value_of(id, "external-address")
  if (ext_ip == "" || ext_ip == "auto") ext_ip = address_of(ext_if)
  lack = ""
  expand_rules(id, ext_if)
  for (r = 1; r <= rules[id]; r++) {
    line = rule[id, r]
    if (line ~ /@BRIDGE@/) { if (br == "") lack = "the bridge of network " field[id, "network"]; gsub(/@BRIDGE@/, br, line) }
    if (line ~ /@EXT_IF@/) { if (ext_if == "") lack = "the external interface"; gsub(/@EXT_IF@/, ext_if, line) }
    if (line ~ /@EXT_IP@/) { if (ext_ip == "") lack = "the external address"; gsub(/@EXT_IP@/, ext_ip, line) }
    resolved[id, r] = line
  }
  if (settings[id] && br == "") lack = "the bridge of network " field[id, "network"]
  for (s = 1; s <= settings[id]; s++) if (setting[id, s] == "forwarding interface" && ext_if == "") lack = "the external interface"
  if (br == "" || br != ext_if) closed_waiting[id] = 1
  else lack = "an internal bridge (" br " is the external interface)"
  waits_for[id] = lack
  state[id] = off ? "off" : (lack != "" ? "waiting" : "active")
  bridge_of[id] = br; external_of[id] = ext_if
}
# In the order of the chains: rank, then newer first, then token, then as written.
function wanted_begin(  p, i, r, id) {
  wanted_count = 0
  for (i = 1; i <= fragments; i++) for (r = 1; r <= rules[order[i]]; r++) by_rank[rank[order[i], r]] = 1
  for (p = 0; p <= 99; p++) if (p in by_rank)
    for (i = 1; i <= fragments; i++) {
      id = order[i]
      if (state[id] != "active" && !stays_closed(id)) continue
      for (r = 1; r <= rules[id]; r++) if (rank[id, r] == p && stays(id, r)) {
        wanted_count++; wanted_id[wanted_count] = id; wanted_token[wanted_count] = field[id, "token"]
        wanted_table[wanted_count] = table_of[id, r]; wanted[wanted_count] = resolved[id, r]
      }
    }
  wanted_text = ""
  for (i = 1; i <= wanted_count; i++) wanted_text = wanted_text wanted_token[i] " " wanted_table[i] " " wanted[i] "\n"
}
function refused_now(id) { return wanted_text == stored_wanted && index(stored_refused, " " field[id, "token"] " ") }
