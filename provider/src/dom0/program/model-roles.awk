# Interfaces that one rule names together, and what holds for those to come

# `@OTHER_BRIDGE@`: bridges of other networks, and what dom0 is managed through.
function other_bridges_begin(  i, uuid, name) {
  bridges_told = 1; told_highest = -1; split("", other_bridge); split("", our_bridge); split("", our_index)
  for (i = 1; i <= network_count; i++) {
    uuid = networks[i]
    if (uuid in bridge) our_bridge[bridge[uuid]] = 1
    # One that was renamed keeps its number.
    if (uuid in cache_index) our_index[cache_index[uuid]] = 1
    if (!(uuid in cache_index) || (uuid in untold)) bridges_told = 0
    if (told_highest < 0 || highest_told(uuid) < told_highest) told_highest = highest_told(uuid)
  }
  note_vouched()
  for (i = 1; i <= fragments; i++) note_own_addresses(order[i])
  for (name in ifindex) if (name ~ /^xapi/ && is_of_others(name)) other_bridge[name] = 1
  if (external ~ /^xapi/) other_bridge[external] = 1
  for (i = 1; i <= fragments; i++) {
    name = ((order[i], "external-interface") in field) ? field[order[i], "external-interface"] : ""
    if (name ~ /^xapi/ && !(name in our_bridge)) other_bridge[name] = 1
  }
}
# Those that stand in the rules already.
function note_vouched(  n, i, line, part) {
  n = split(whole_file(run "/wanted"), line, "\n")
  for (i = 1; i <= n; i++) if (line[i] ~ / filter -A XENNET-INPUT -i xapi[^ ]* -m comment --comment [^ ]+ -j RETURN$/) { split(line[i], part, " "); vouched[part[6]] = 1 }
}
function highest_told(uuid) { return ((uuid in cache_highest) && cache_highest[uuid] != "") ? cache_highest[uuid] + 0 : 0 }
function note_own_addresses(id,  s, part) {
  for (s = 1; s <= settings[id]; s++) { split(setting[id, s], part, " "); if (part[1] == "address") own_address[part[2]] = 1 }
}
# While nobody can tell whose bridge is whose, one that came since may be ours under a new name. It is of others when it was there before, or has an address that we did not give: a network of ours has no other.
function is_of_others(name) {
  if ((name in our_bridge) || (ifindex[name] in our_index)) return 0
  if (bridges_told || ifindex[name] <= told_highest || (name in vouched)) return 1
  return (name in first_address) && !(address[first_address[name]] in own_address)
}
# `@OPENED_IF@`: where nothing was routed before a declaration switched forwarding on.
function opened_begin(id, ext_if,  s, name) {
  split("", opened_if)
  for (s = 1; s <= settings[id]; s++) {
    if (setting[id, s] == "forwarding interface" && (ext_if in ifindex) && !routed_before(ext_if)) opened_if[ext_if] = 1
    if (setting[id, s] == "forwarding global")
      for (name in ifindex) if (may_route(name) && !routed_before(name)) opened_if[name] = 1
  }
}
function may_route(name) { return name !~ /^(all|default|lo|vif.*|tap.*)$/ && !(name in our_bridge) }
# Who routes for the whole host without us relies on it, whatever was before: a tool that came later.
function routed_before(name) {
  if (setting_now("forwarding", "all", "-") == "1" && !(("forwarding", "all", 0, "-") in has_former)) return 1
  if (("forwarding", name, ifindex[name], "-") in has_former) return has_former["forwarding", name, ifindex[name], "-"] == "1"
  return setting_now("forwarding", name, "-") == "1"
}
# Puts a rule for each interface in the place of one that names them together.
function expand_rules(id, ext_if,  r, n, line) {
  if (field[id, "kind"] != "host-forwarding") return
  opened_begin(id, ext_if)
  n = rules[id]
  for (r = 1; r <= n; r++) { was_rule[r] = rule[id, r]; was_rank[r] = rank[id, r]; was_table[r] = table_of[id, r] }
  rules[id] = 0
  for (r = 1; r <= n; r++) {
    line = was_rule[r]
    if (line ~ /@OTHER_BRIDGE@/) expand_rule(id, r, "@OTHER_BRIDGE@", other_bridge)
    else if (line ~ /@OPENED_IF@/) expand_rule(id, r, "@OPENED_IF@", opened_if)
    else add_rule(id, r, line)
  }
}
# In the order of their names, as what is the same must read the same.
function expand_rule(id, r, role, names,  name, i, j, n, list, line) {
  n = 0
  for (name in names) {
    for (i = n++; i >= 1 && list[i] > name; i--) list[i + 1] = list[i]
    list[i + 1] = name
  }
  for (j = 1; j <= n; j++) { line = was_rule[r]; gsub(role, list[j], line); add_rule(id, r, line) }
}
function add_rule(id, r, line) { rule[id, ++rules[id]] = line; rank[id, rules[id]] = was_rank[r]; table_of[id, rules[id]] = was_table[r] }

# A forwarding that waits keeps closed what it can: its guests may be there.
function stays_closed(id) { return state[id] == "waiting" && (id in closed_waiting) }
function stays(id, r) {
  if (state[id] == "active") return 1
  return table_of[id, r] == "filter" && resolved[id, r] ~ /-j (DROP|RETURN)$/ && (rule[id, r] !~ /@BRIDGE@/ || bridge_of[id] != "") && (rule[id, r] !~ /@EXT_IF@/ || external_of[id] != "") && rule[id, r] !~ /@EXT_IP@/
}

# Bridges to come start without IPv6, as ours appears before anybody can switch it off. Not where dom0 itself uses IPv6: XAPI does not switch it on for the bridges that it makes.
# The argument of the record is the highest number at that time: interfaces above it came meanwhile, and get their IPv6 back with the default.
function need_ipv6_default(id,  i, part, since) {
  if (ipv6_is_used() || setting_now("ipv6", "default", "-") == "") return
  since = highest
  for (i = 1; i <= formers; i++) { split(former[i], part, " "); if (part[1] == "ipv6" && part[2] == "default") since = part[4] }
  need(id, "ipv6", "default", since, "1")
}
function ipv6_is_used() {
  return ipv6_declared || inventory("MANAGEMENT_ADDRESS_TYPE") == "IPv6" || whole_file("/etc/sysconfig/network") ~ /(^|\n)NETWORKING_IPV6=["\047]?yes/
}
# Interfaces of others that came meanwhile get back what they would have had: once, as somebody may switch it off again. Those of guests only with the default, as they are ports of bridges.
function restore_ipv6_of_new(  i, part, name, kept, given) {
  given = "\n" whole_file(run "/ipv6-given")
  for (i = 1; i <= formers; i++) {
    split(former[i], part, " ")
    if (part[1] != "ipv6" || part[2] != "default" || part[5] != "0") continue
    kept = (("ipv6", "default", part[3], part[4]) in needed)
    for (name in ifindex) {
      if (ifindex[name] <= part[4] + 0 || (("ipv6", name, ifindex[name], "-") in needed) || (kept && !may_get_ipv6(name))) continue
      if (index(given, "\n" name " " ifindex[name] "\n") || setting_now("ipv6", name, "-") != "1") continue
      print "R ipv6 " name " - 0"
      if (kept) print "G " name, ifindex[name]
    }
  }
}
function may_get_ipv6(name) { return bridges_told && name !~ /^(vif|tap)/ && !(name in our_bridge) && !(ifindex[name] in our_index) }
