# Fragments: reads one, checks every value against a pattern

function is_hex(s, n) { return length(s) == n && s !~ /[^0-9a-f]/ }
function is_number(s) { return s ~ /^[0-9]+$/ && length(s) <= 9 }
function is_interface(s) { return length(s) >= 1 && length(s) <= 15 && s ~ /^[A-Za-z0-9_.-]+$/ && s !~ /^-/ && s != "." && s != ".." && s != "all" && s != "default" }
function is_uuid(s) { return length(s) == 36 && s ~ /^[0-9a-f]+-[0-9a-f]+-[0-9a-f]+-[0-9a-f]+-[0-9a-f]+$/ }
function is_ipv4(s,  part, n, i) {
  n = split(s, part, ".")
  if (n != 4 || s ~ /[^0-9.]/) return 0
  for (i = 1; i <= 4; i++) if (length(part[i]) < 1 || length(part[i]) > 3 || part[i] > 255) return 0
  return 1
}
function is_ports(s,  part, n, i) {
  n = split(s, part, "-")
  for (i = 1; i <= n; i++) if (!is_number(part[i]) || part[i] < 1 || part[i] > 65535) return 0
  return n == 1 || n == 2 && part[1] + 0 <= part[2] + 0
}
function is_setting(key, value) {
  if (key == "address") return is_cidr(value)
  if (key == "forwarding") return value == "interface" || value == "global"
  if (key == "arp") return value == "on"
  if (key == "ipv6") return value == "off"
  if (key == "proxy-arp" || key == "send-redirects" || key == "arp-filter" || key == "rp-filter") return value == "on" || value == "off"
  return key == "persistence" && value == "none"
}
function is_cidr(s,  part) { return split(s, part, "/") == 2 && is_ipv4(part[1]) && part[2] ~ /^[0-9][0-9]?$/ && part[2] <= 32 }
# Nothing that a terminal takes for a command, hides, or turns the text around it by: control characters, and in UTF-8, byte by byte as
# this program runs with LC_ALL=C, those of U+0080 to U+009F, and what is not seen.
function visible(s) {
  gsub(/[[:cntrl:]]|\302[\200-\237\255]|\330\234|\341\240\216|\342\200[\213\216\217\250-\256]|\342\201[\240-\257]|\357\273\277|\357\277[\271-\273]|\363\240[\200\201][\200-\277]/, "?", s)
  return s
}
function printable(s) { s = visible(s); return length(s) > 200 ? substr(s, 1, 200) : s }

function fragment_begin(id, line) {
  problem[id] = ""; complete[id] = 0; lines[id] = 0; rules[id] = 0; settings[id] = 0; claims[id] = 0
  comment_of[id] = "xennet-<token>, which has to be told before"
  if (line ~ /^xennet-fragment [0-9]+$/ && line != "xennet-fragment 1") problem[id] = "format " substr(line, 17) " is newer than this program"
  else if (line != "xennet-fragment 1") problem[id] = "does not begin with xennet-fragment 1"
  text[id, ++lines[id]] = line
}
# Takes one line; `complete` becomes true with the line `end`.
function fragment_line(id, line,  key, value, bad) {
  bad = ""
  if (line == "end") { complete[id] = 1; bad = fragment_missing(id) }
  else {
    key = line; sub(/ .*/, "", key)
    value = length(line) > length(key) + 1 ? substr(line, length(key) + 2) : ""
    text[id, ++lines[id]] = line
    bad = fragment_value(id, key, value)
  }
  if (bad != "" && problem[id] == "") problem[id] = bad
}
function fragment_missing(id) {
  if (!((id, "kind") in field)) return "has no kind"
  if (!((id, "token") in field)) return "has no token"
  if (!((id, "incarnation") in field)) return "has no incarnation"
  if (!((id, "network") in field)) return "has no network"
  return ""
}
function fragment_value(id, key, value,  ok, part, n) {
  if (value == "" || value ~ /[[:cntrl:]]/) return "line " lines[id] ": " key " has no usable value"
  n = split(value, part, " ")
  if (key == "rule") return rule_value(id, value)
  if (key == "setting") {
    ok = n == 2 && is_setting(part[1], part[2])
    if (ok) setting[id, ++settings[id]] = value
    return ok ? "" : "line " lines[id] ": unknown setting " value
  }
  if (key == "claim") {
    ok = n == 2 && (part[1] == "tcp" || part[1] == "udp") && is_ports(part[2])
    claim[id, ++claims[id]] = value
    return ok ? "" : "line " lines[id] ": claim cannot be " value
  }
  if ((id, key) in field) return "line " lines[id] ": a second " key
  if (key == "kind") ok = value == "host-forwarding" || value == "port-forward"
  else if (key == "token" || key == "forwarding") ok = is_hex(value, 12)
  else if (key == "incarnation") ok = is_hex(value, 16)
  else if (key == "owner" || key == "name" || key == "description") ok = 1
  else if (key == "enabled") ok = value == "no"
  else if (key == "network") ok = is_uuid(value)
  else if (key == "external-interface") ok = value == "auto" || is_interface(value)
  else if (key == "external-address") ok = value == "auto" || is_ipv4(value)
  else if (key == "serial") ok = is_number(value)
  else return "line " lines[id] ": unknown key " key
  field[id, key] = value
  if (key == "token") comment_of[id] = "xennet-" value
  return ok ? "" : "line " lines[id] ": " key " cannot be " value
}
# `rule <rank> <table> <line>`: own chains only, our comment exactly once, and no character that any shell or the quoting of iptables-restore gives a meaning.
function rule_value(id, value,  part, n, line, i, comments, where) {
  where = "line " lines[id] ": "; comments = 0
  n = split(value, part, " ")
  if (n < 6 || part[1] !~ /^[0-9][0-9]?$/) return where "a rule needs a rank from 0 to 99, a table and a text"
  line = value; sub(/^[0-9]+ [a-z]+ /, "", line)
  if (length(line) > 1000 || line ~ /[^A-Za-z0-9 _.,:@\/!+=-]/) return where "the rule holds a character that rules may not hold"
  if (part[3] != "-A" || !((part[2], part[4]) in own_chain)) return where "rules may only be added to own chains of their table"
  for (i = 5; i <= n; i++) {
    if (part[i] == "--comment" && i < n && part[i + 1] == comment_of[id]) comments++
    else if (part[i] == "--comment") return where "the comment must be " comment_of[id]
    if (part[i] ~ /^-[ADIRNXFZPEtc]$/ || part[i] ~ /^--(table|append|insert|delete|replace|flush|zero|policy|set-counters)/) return where "unexpected " part[i]
    if (part[i] ~ /@/ && part[i] !~ /^@(BRIDGE|EXT_IF|OTHER_BRIDGE|OPENED_IF)@$/ && part[i] !~ /^@EXT_IP@(\/32)?(:[0-9-]+)?$/) return where "unknown role " part[i]
  }
  if (comments != 1) return where "the rule must carry the comment " comment_of[id] " once"
  rank[id, ++rules[id]] = part[1] + 0; table_of[id, rules[id]] = part[2]; rule[id, rules[id]] = line
  return ""
}
# Reads a stored fragment; false when it is damaged.
function fragment_file(id, path,  line, n, got) {
  n = 0; complete[id] = 0
  while ((got = (getline line < path)) > 0) {
    if (complete[id]) { problem[id] = "text after its end"; break }
    if (++n == 1) fragment_begin(id, line); else fragment_line(id, line)
  }
  if (got >= 0) close(path)
  if (!n || !complete[id]) problem[id] = "is cut short"
  if (problem[id] == "" && value_of(id, "token") != name_of(path)) problem[id] = "names another token than its file"
  return problem[id] == ""
}
# What a line of the fragment says, or nothing. Asked so, or with `in`: to read an element that is not there makes it.
function value_of(id, key) { return ((id, key) in field) ? field[id, key] : "" }
function name_of(path) { sub(/.*\//, "", path); sub(/\.fragment$/, "", path); return path }
function inventory(key,  line, value, got) {
  value = ""
  while ((got = (getline line < inventory_file)) > 0)
    if (index(line, key "=") == 1) { value = substr(line, length(key) + 2); gsub(/[\047"]/, "", value) }
  if (got >= 0) close(inventory_file)
  return value
}
# Fragment files come as arguments; input as such is what is piped in.
function arguments_begin(  i) {
  files = ARGC - 1
  for (i = 1; i <= files; i++) file[i] = ARGV[i]
  ARGC = 1
}
function chains_begin(  k) {
  chain_count = 6
  chain_table[1] = "filter"; base[1] = "FORWARD"; chain_table[2] = "filter"; base[2] = "INPUT"
  chain_table[3] = "nat"; base[3] = "PREROUTING"; chain_table[4] = "nat"; base[4] = "POSTROUTING"; chain_table[5] = "nat"; base[5] = "OUTPUT"
  chain_table[6] = "mangle"; base[6] = "FORWARD"
  for (k = 1; k <= chain_count; k++) { own_chain[chain_table[k], "XENNET-" base[k]] = k }
}
