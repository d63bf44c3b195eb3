#!/bin/sh
# xennet program 2 format 1
#
# Makes this host match what is declared under /etc/xennet. Written for every dom0 since XenServer 5.6: POSIX sh, awk without extensions, iptables from 1.3.5 on.
# What is declared, and every command, is described in the provider's docs/host-program.md.
#
# How it works: `plan` (awk) compares the declared fragments with what `iptables-save` and `ip addr` show, and prints only what is to be done; `converge` (sh) does it and asks
# again until nothing is left to do. Text from fragments is data: patterns check it before use, and no shell ever evaluates it.

PATH=/usr/sbin:/sbin:/usr/bin:/bin:/opt/xensource/bin
LC_ALL=C
export PATH LC_ALL
umask 077
# A loop over files must see none when there are none, and words must not expand: fragments are passed by `set --` in one place only.
IFS=' 	
'

VERSION=2
FORMAT=1
PROGRAM=/usr/local/sbin/xennet
ETC=/etc/xennet
INVENTORY=/etc/xensource-inventory
SAVED_FIREWALL=/etc/sysconfig/iptables
if [ -d /run ]; then RUN=/run/xennet; else RUN=/var/run/xennet; fi
UNKNOWN_BRIDGES=''
LOCK_WAIT=15
XE_LIMIT=5

# ---------------------------------------------------------------------------------------------------------------------------------------------------------------------
# Fragments (awk): reads one, checks every value against a pattern
# ---------------------------------------------------------------------------------------------------------------------------------------------------------------------

# shellcheck disable=SC2016 # awk text
FRAGMENT_AWK='
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
  if (key == "proxy-arp" || key == "send-redirects" || key == "arp-filter") return value == "on" || value == "off"
  return key == "persistence" && value == "none"
}
function is_cidr(s,  part) { return split(s, part, "/") == 2 && is_ipv4(part[1]) && part[2] ~ /^[0-9][0-9]?$/ && part[2] <= 32 }
function printable(s) { gsub(/[[:cntrl:]]/, "?", s); return substr(s, 1, 200) }

function fragment_begin(id, line) {
  problem[id] = ""; complete[id] = 0; lines[id] = 0; rules[id] = 0; settings[id] = 0; claims[id] = 0
  split("", at)
  if (line ~ /^xennet-fragment [0-9]+$/ && line != "xennet-fragment 1") problem[id] = "format " substr(line, 17) " is newer than this program"
  else if (line != "xennet-fragment 1") problem[id] = "does not begin with xennet-fragment 1"
  text[id, ++lines[id]] = line
}
# Takes one line; `complete` becomes true with the line `end`.
function fragment_line(id, line,  key, value, bad) {
  if (line == "end") { complete[id] = 1; bad = fragment_missing(id) }
  else {
    key = line; sub(/ .*/, "", key)
    value = (index(line, " ") ? substr(line, index(line, " ") + 1) : "")
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
  return ok ? "" : "line " lines[id] ": " key " cannot be " value
}
# `rule <rank> <table> <line>`: own chains only, our comment exactly once, and no character that any shell or the quoting of iptables-restore gives a meaning.
function rule_value(id, value,  part, n, line, i, comments, where) {
  where = "line " lines[id] ": "
  n = split(value, part, " ")
  if (n < 6 || part[1] !~ /^[0-9][0-9]?$/) return where "a rule needs a rank from 0 to 99, a table and a text"
  line = value; sub(/^[0-9]+ [a-z]+ /, "", line)
  if (length(line) > 1000 || line ~ /[^A-Za-z0-9 _.,:@\/!+=-]/) return where "the rule holds a character that rules may not hold"
  if (part[3] != "-A" || !((part[2], part[4]) in own_chain)) return where "rules may only be added to own chains of their table"
  for (i = 5; i <= n; i++) {
    if (part[i] == "--comment" && part[i + 1] == "xennet-" field[id, "token"]) comments++
    else if (part[i] == "--comment") return where "the comment must be xennet-" field[id, "token"]
    if (part[i] ~ /^-[ADIRNXFZPEtc]$/ || part[i] ~ /^--(table|append|insert|delete|replace|flush|zero|policy|set-counters)/) return where "unexpected " part[i]
    if (part[i] ~ /@/ && part[i] !~ /^@(BRIDGE|EXT_IF)@$/ && part[i] !~ /^@EXT_IP@(\/32)?(:[0-9-]+)?$/) return where "unknown role " part[i]
  }
  if (comments != 1) return where "the rule must carry the comment xennet-" field[id, "token"] " once"
  rank[id, ++rules[id]] = part[1] + 0; table_of[id, rules[id]] = part[2]; rule[id, rules[id]] = line
  return ""
}
# Reads a stored fragment; false when it is damaged.
function fragment_file(id, path,  line, n) {
  while ((getline line < path) > 0) {
    if (complete[id]) { problem[id] = "text after its end"; break }
    if (++n == 1) fragment_begin(id, line); else fragment_line(id, line)
  }
  close(path)
  if (!n || !complete[id]) problem[id] = "is cut short"
  if (problem[id] == "" && field[id, "token"] != name_of(path)) problem[id] = "names another token than its file"
  return problem[id] == ""
}
function name_of(path) { sub(/.*\//, "", path); sub(/\.fragment$/, "", path); return path }
function inventory(key,  line, value) {
  value = ""
  while ((getline line < inventory_file) > 0)
    if (index(line, key "=") == 1) { value = substr(line, length(key) + 2); gsub(/[\047"]/, "", value) }
  close(inventory_file)
  return value
}
function chains_begin() {
  chain_count = 6
  chain_table[1] = "filter"; base[1] = "FORWARD"; chain_table[2] = "filter"; base[2] = "INPUT"
  chain_table[3] = "nat"; base[3] = "PREROUTING"; chain_table[4] = "nat"; base[4] = "POSTROUTING"; chain_table[5] = "nat"; base[5] = "OUTPUT"
  chain_table[6] = "mangle"; base[6] = "FORWARD"
  for (k = 1; k <= chain_count; k++) { own_chain[chain_table[k], "XENNET-" base[k]] = k }
}
'

# ---------------------------------------------------------------------------------------------------------------------------------------------------------------------
# Model (awk): what is declared, what is there, what is to be done. Modes: plan, own, snapshot, status
# ---------------------------------------------------------------------------------------------------------------------------------------------------------------------

# shellcheck disable=SC2016 # awk text
MODEL_AWK='
BEGIN {
  chains_begin()
  files = ARGC - 1
  for (i = 1; i <= files; i++) file[i] = ARGV[i]
  ARGC = 1
  highest = 0
  # What the kernel keeps beside the interfaces: the value for all of them, and the one that new ones start with.
  ifindex["all"] = 0; ifindex["default"] = 0
}
/^@@/ { section = substr($0, 3); next }
section == "ip" { ip_line(); next }
section == "save" { save_line($0); next }
section == "bridges" { cache_line(); next }
section == "route" { route_line(); next }
section == "listen" { listen_line(); next }
END {
  if (mode == "own") printf "%s", own_text()
  else declared_model()
  # The shell refuses an answer without this line: what a killed awk leaves must never look like a host with nothing to do.
  print "done"
}
function declared_model() {
  load_fragments()
  load_former()
  resolve_external()
  if (!resolve_bridges()) return
  resolve_fragments()
  if (mode == "plan") plan()
  else if (mode == "snapshot") snapshot()
  else status()
}

# --- what is there ---

function ip_line(  name, i, scope) {
  if ($1 ~ /^[0-9]+:$/) {
    name = $2; sub(/:$/, "", name); sub(/@.*/, "", name)
    current = name; ifindex[name] = $1 + 0; flags[name] = $3
    if (name !~ /^(vif|tap)/ && $1 + 0 > highest) highest = $1 + 0
  } else if ($1 == "inet") {
    address_count++
    address_if[address_count] = current
    address[address_count] = ($2 ~ /\//) ? $2 : $2 "/32"
    has_address[current, address[address_count]] = 1
    scope = ""
    for (i = 3; i <= NF; i++) { if ($i == "scope") scope = $(i + 1); if ($i == "dynamic") leased[address_count] = 1 }
    if (scope == "global" && !(current in first_address)) first_address[current] = address_count
  }
}
function save_line(line,  chain, part, counters) {
  sub(/ +$/, "", line)
  if (line ~ /^\*/) { saved_table = substr(line, 2); return }
  if (line ~ /^:/) {
    split(substr(line, 2), part, " ")
    if ((saved_table, part[1]) in own_chain) declared[saved_table, part[1]] = 1
    return
  }
  counters = ""
  if (line ~ /^\[[0-9]+:[0-9]+\] /) { counters = substr(line, 2, index(line, "]") - 2); sub(/^[^ ]+ /, "", line) }
  if (line !~ /^-A /) return
  split(line, part, " "); chain = part[2]
  saved_count[saved_table, chain]++
  saved[saved_table, chain, saved_count[saved_table, chain]] = line
  saved_all++; all_table[saved_all] = saved_table; all_chain[saved_all] = chain; all_line[saved_all] = line
  if (counters != "") hits[saved_table, line] += substr(counters, 1, index(counters, ":") - 1)
}
function cache_line() { cache_name[$1] = $2; cache_index[$1] = $3; cache_highest[$1] = $4 }
function route_line(  i, device, destination) {
  destination = $1; device = "-"
  if (destination ~ /^[a-z]+$/ && destination != "default") destination = $2
  if (destination == "default") destination = "0.0.0.0/0"
  else if (destination !~ /\//) destination = destination "/32"
  for (i = 2; i < NF; i++) if ($i == "dev") device = $(i + 1)
  if (is_cidr(destination)) routes = routes "route " destination " " device "\n"
}
# `ss -lntu` and `netstat -lntu` alike: protocol first, the local address is the first field with a colon and a port.
function listen_line(  protocol, i, where, port, from) {
  protocol = $1; sub(/6$/, "", protocol)
  if (protocol != "tcp" && protocol != "udp") return
  for (i = 3; i <= NF; i++) if ($i ~ /:[0-9]+$/) break
  if (i > NF) return
  where = $i; port = where; sub(/.*:/, "", port); sub(/:[0-9]+$/, "", where)
  gsub(/[][]/, "", where); sub(/%.*/, "", where)
  if (where == "*") where = "0.0.0.0"
  from = protocol " " where " " port
  if (!(from in listening)) { listening[from] = 1; listens = listens "listen " from "\n" }
}
function sysctl(path,  value) {
  if ((getline value < path) <= 0) value = ""
  close(path)
  return value
}
function whole_file(path,  line, content) {
  content = ""
  while ((getline line < path) > 0) content = content line "\n"
  close(path)
  return content
}
# Our chains, their rules and the jumps to them, in an order that does not depend on who else has chains.
function own_text(  k, t, c, i, content) {
  content = ""
  for (k = 1; k <= chain_count; k++) {
    t = chain_table[k]; c = "XENNET-" base[k]
    if ((t, c) in declared) content = content t " :" c "\n"
    for (i = 1; i <= saved_count[t, c]; i++) content = content t " " saved[t, c, i] "\n"
    for (i = 1; i <= saved_count[t, base[k]]; i++)
      if (saved[t, base[k], i] == jump_line(k)) content = content t " " saved[t, base[k], i] "\n"
  }
  return content
}
function jump_line(k) { return "-A " base[k] " -j XENNET-" base[k] }
# A rule that refers to an own chain and is not the one jump we keep.
function is_reference(line) { return line ~ /-[jg] XENNET-(FORWARD|INPUT|PREROUTING|POSTROUTING|OUTPUT)$/ }

# --- what is declared ---

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
  if (field[a, "serial"] + 0 != field[b, "serial"] + 0) return field[a, "serial"] + 0 > field[b, "serial"] + 0
  return field[a, "token"] < field[b, "token"]
}
function load_former(  line, part, path) {
  path = run "/former"
  while ((getline line < path) > 0)
    if (split(line, part, " ") == 5) { former[++formers] = line; has_former[part[1], part[2], part[3], part[4]] = part[5] }
  close(path)
}
function resolve_external(  name) {
  name = inventory("MANAGEMENT_INTERFACE")
  external = is_interface(name) ? name : ""
  external_address = (external in first_address) ? address[first_address[external]] : ""
}
# False when a name must be asked for first; the shell does that and calls again.
function resolve_bridges(  i, id, uuid, name, ask) {
  for (i = 1; i <= fragments; i++) {
    uuid = field[order[i], "network"]
    if (uuid in network_seen) continue
    network_seen[uuid] = 1; networks[++network_count] = uuid
    name = cache_name[uuid]
    if (!is_interface(name)) name = ""
    if (cache_index[uuid] == "?") {
      if (name != "") { bridge[uuid] = name; fresh = 1; cache_index[uuid] = ifindex[name] + 0; cache_highest[uuid] = highest }
    } else if (name != "" && ((name in ifindex) ? ifindex[name] == cache_index[uuid] : highest <= cache_highest[uuid])) bridge[uuid] = name
    else if (!off) { print "resolve " uuid; ask = 1 }
    else if (name != "") bridge[uuid] = name
  }
  return !ask
}
function resolve_fragments(  i) { for (i = 1; i <= fragments; i++) resolve_fragment(order[i]) }
function resolve_fragment(id,  r, s, line, ext_if, ext_ip, br, lack) {
  br = bridge[field[id, "network"]]
  ext_if = field[id, "external-interface"]; if (ext_if == "" || ext_if == "auto") ext_if = external
  ext_ip = field[id, "external-address"]
  if (ext_ip == "" || ext_ip == "auto") { ext_ip = (ext_if in first_address) ? address[first_address[ext_if]] : ""; sub(/\/.*/, "", ext_ip) }
  lack = ""
  for (r = 1; r <= rules[id]; r++) {
    line = rule[id, r]
    if (line ~ /@BRIDGE@/) { if (br == "") lack = "the bridge of network " field[id, "network"]; gsub(/@BRIDGE@/, br, line) }
    if (line ~ /@EXT_IF@/) { if (ext_if == "") lack = "the external interface"; gsub(/@EXT_IF@/, ext_if, line) }
    if (line ~ /@EXT_IP@/) { if (ext_ip == "") lack = "the external address"; gsub(/@EXT_IP@/, ext_ip, line) }
    resolved[id, r] = line
  }
  if (settings[id] && br == "") lack = "the bridge of network " field[id, "network"]
  for (s = 1; s <= settings[id]; s++) if (setting[id, s] == "forwarding interface" && ext_if == "") lack = "the external interface"
  if (br != "" && br == ext_if) lack = "an internal bridge (" br " is the external interface)"
  waits_for[id] = lack
  state[id] = off ? "off" : (lack != "" ? "waiting" : "active")
  bridge_of[id] = br; external_of[id] = ext_if
}
# In the order of the chains: rank, then newer first, then token, then as written.
function wanted_begin(  p, i, r, id) {
  wanted_count = 0
  for (i = 1; i <= fragments; i++) for (r = 1; r <= rules[order[i]]; r++) by_rank[rank[order[i], r]]++
  for (p = 0; p <= 99; p++) if (by_rank[p])
    for (i = 1; i <= fragments; i++) {
      id = order[i]
      if (state[id] != "active") continue
      for (r = 1; r <= rules[id]; r++) if (rank[id, r] == p) {
        wanted_count++; wanted_id[wanted_count] = id; wanted_token[wanted_count] = field[id, "token"]
        wanted_table[wanted_count] = table_of[id, r]; wanted[wanted_count] = resolved[id, r]
      }
    }
  wanted_text = ""
  for (i = 1; i <= wanted_count; i++) wanted_text = wanted_text wanted_token[i] " " wanted_table[i] " " wanted[i] "\n"
}
function refused_now(id) { return wanted_text == stored_wanted && index(stored_refused, " " field[id, "token"] " ") }

# --- settings: what each fragment needs, and the values before us ---

function needs_begin(  i, id, s, part, key) {
  for (i = 1; i <= fragments; i++) {
    id = order[i]
    if (state[id] != "active") continue
    for (s = 1; s <= settings[id]; s++) {
      split(setting[id, s], part, " ")
      if (part[1] == "address") need(id, "address", bridge_of[id], part[2], "present")
      else if (part[1] == "forwarding") {
        need(id, "forwarding", bridge_of[id], "-", "1"); need(id, "forwarding", external_of[id], "-", "1")
        if (part[2] == "global") need_global(id)
      }
      else if (part[1] == "arp") need(id, "arp", bridge_of[id], "-", "on")
      else if (part[1] == "ipv6" && sysctl("/proc/sys/net/ipv6/conf/" bridge_of[id] "/disable_ipv6") != "") need(id, "ipv6", bridge_of[id], "-", "1")
      else if (part[1] == "proxy-arp") need(id, "proxy_arp", bridge_of[id], "-", part[2] == "on" ? "1" : "0")
      else if (part[1] == "send-redirects" || part[1] == "arp-filter") {
        key = part[1]; sub(/-/, "_", key)
        need(id, key, bridge_of[id], "-", part[2] == "on" ? "1" : "0"); need(id, key, external_of[id], "-", part[2] == "on" ? "1" : "0")
      }
    }
  }
}
# Writing the value for all interfaces rewrites that of each: all are on record before, and are put back together.
function need_global(id,  i, part) {
  need(id, "forwarding", "all", "-", "1")
  if (!(("forwarding", "all", 0, "-") in has_former)) { record_forwarding = 1; return }
  for (i = 1; i <= formers; i++) { split(former[i], part, " "); if (part[1] == "forwarding") needed[part[1], part[2], part[3], part[4]] = 1 }
}
# Where two declarations want different values, the newer one has its way.
function need(id, kind, name, arg, value) {
  if (!(name in ifindex)) return
  if (((kind, name, ifindex[name], arg) in needed_value) && needed_value[kind, name, ifindex[name], arg] != value) return
  needed_value[kind, name, ifindex[name], arg] = value
  needs++
  need_id[needs] = id; need_kind[needs] = kind; need_if[needs] = name; need_arg[needs] = arg; need_value[needs] = value
  needed[kind, name, ifindex[name], arg] = 1
}
function setting_now(kind, name, arg) {
  if (kind == "address") return ((name, arg) in has_address) ? "present" : "absent"
  if (kind == "arp") return flags[name] ~ /NOARP/ ? "off" : "on"
  if (kind != "ipv6") return sysctl("/proc/sys/net/ipv4/conf/" name "/" kind)
  return sysctl("/proc/sys/net/ipv6/conf/" name "/disable_ipv6")
}

# --- plan: nothing printed means nothing to do ---
#
# B <uuid> <name> <ifindex> <highest>   the bridge cache, whole
# K <former record>                     records to keep, when they change; N: records to add before anything is set
# R, A <kind> <interface> <arg> <value> put a former value back, set a value
# P <token|-> <line>                    input of iptables-restore; D1, D2: the two inputs that take everything away; M1, M2: those that take the mangle chain away
# W <wanted line>                       what P stands for
function plan(  i, id) {
  for (i = 1; fresh && i <= network_count; i++) if (bridge[networks[i]] != "") print "B " networks[i], bridge[networks[i]], cache_index[networks[i]], cache_highest[networks[i]]
  wanted_begin()
  stored_wanted = whole_file(run "/wanted")
  for (i = 1; i <= fragments; i++) if (state[order[i]] == "active" && refused_now(order[i])) state[order[i]] = "waiting"
  needs_begin()
  plan_restore()
  if (!fragments || off) plan_nothing()
  else if (wanted_text != stored_wanted || own_text() != whole_file(run "/applied") || jumps_text("filter") jumps_text("nat") jumps_text("mangle") != "") plan_rules()
  else if (mangle_is_idle()) take_away("mangle", "M")
  else plan_settings()
}
function plan_restore(  i, part, stale, all, now) {
  for (i = 1; i <= formers; i++) {
    split(former[i], part, " ")
    if ((part[1], part[2], part[3], part[4]) in needed) { keep[i] = 1; continue }
    stale = 1
    if (part[1] == "forwarding" && part[2] == "all" && setting_now("forwarding", "all", "-") != part[5]) { all = 1; print "R forwarding all - " part[5] }
  }
  if (!stale) return
  for (i = 1; i <= formers; i++) {
    split(former[i], part, " ")
    if ((i in keep) || part[2] == "all" || !(is_interface(part[2]) || part[2] == "default") || !(part[2] in ifindex) || ifindex[part[2]] != part[3]) continue
    now = setting_now(part[1], part[2], part[4])
    # Whatever it is now, the write for all of them takes it away.
    if (now != part[5] || all && part[1] == "forwarding") print "R " part[1], part[2], part[4], part[5]
  }
  print "K"
  for (i = 1; i <= formers; i++) if (i in keep) print "K " former[i]
}
function plan_settings(  i, now, key, name) {
  for (name in ifindex) if (record_forwarding) {
    now = setting_now("forwarding", name, "-")
    key = "forwarding " name " " ifindex[name] " -"
    if (now != "" && !(("forwarding", name, ifindex[name], "-") in has_former)) { noted[key] = 1; print "N " key, now }
  }
  for (i = 1; i <= needs; i++) {
    now = setting_now(need_kind[i], need_if[i], need_arg[i])
    key = need_kind[i] " " need_if[i] " " ifindex[need_if[i]] " " need_arg[i]
    if (!((need_kind[i], need_if[i], ifindex[need_if[i]], need_arg[i]) in has_former) && !(key in noted)) { noted[key] = 1; print "N " key, now }
    if (now != need_value[i] && !(key in set)) { set[key] = 1; print "A " need_kind[i], need_if[i], need_arg[i], need_value[i] }
  }
}
function plan_rules(  i, k, t, n) {
  for (n = 1; n <= 3; n++) {
    t = n == 1 ? "filter" : n == 2 ? "nat" : "mangle"
    if (t == "mangle" && !uses_mangle()) continue
    print "P - *" t
    for (k = 1; k <= chain_count; k++) if (chain_table[k] == t) print "P - :XENNET-" base[k] " - [0:0]"
    printf "%s", jumps_text(t)
    for (i = 1; i <= wanted_count; i++) if (wanted_table[i] == t) print "P " wanted_token[i] " " wanted[i]
    print "P - COMMIT"
  }
  printf "%s", prefixed("W ", wanted_text)
}
# The mangle table is left alone unless a rule of ours wants it. While a change is pending its chain stays, empty, as the others do: the way back needs no table that is not there.
function uses_mangle() { return (("mangle", "XENNET-FORWARD") in declared) || wants_mangle() }
function wants_mangle(  i) {
  for (i = 1; i <= wanted_count; i++) if (wanted_table[i] == "mangle") return 1
  return 0
}
function mangle_is_idle() { return pending == "" && (("mangle", "XENNET-FORWARD") in declared) && !wants_mangle() }
function prefixed(mark, content) {
  if (content == "") return ""
  sub(/\n$/, "", content); gsub(/\n/, "\n" mark, content)
  return mark content "\n"
}
function jumps_text(t,  k, content) {
  content = ""
  for (k = 1; k <= chain_count; k++) if (chain_table[k] == t) content = content jump_text(k)
  return content
}
# One jump, in front of the stock chain (filter), never above rules of others that stood above it. Without a stock chain a missing jump goes in front of the first rule that
# catches everything, else to the end. A nat jump goes first, because a foreign DNAT or MASQUERADE for everything would leave us nothing.
function jump_text(k,  t, b, n, i, line, mine, first, before, anchor, content, want) {
  t = chain_table[k]; b = base[k]; n = saved_count[t, b]
  if (t == "mangle" && !uses_mangle()) return ""
  for (i = 1; i <= n; i++) {
    line = saved[t, b, i]
    if (line == jump_line(k)) { mine++; if (!first) first = i }
    else if (!anchor && t == "filter" && line ~ /-j RH-Firewall-1-INPUT$/) { anchor = i; before = mine }
  }
  if (mine == 1 && (!anchor || first < anchor)) return ""
  if (first && (!anchor || first < anchor)) want = first
  else if (anchor) want = anchor - before
  else if (t != "filter") want = 1
  else want = catch_all(t, b)
  content = ""
  for (i = 1; i <= mine; i++) content = content "P - -D " b " -j XENNET-" b "\n"
  return content "P - -I " b " " want " -j XENNET-" b "\n"
}
function catch_all(t, b,  i) {
  for (i = 1; i <= saved_count[t, b]; i++) if (saved[t, b, i] ~ ("^-A " b " -j (ACCEPT|DROP|REJECT)( --reject-with [a-z-]+)?$")) return i
  return saved_count[t, b] + 1
}
# Two inputs, because 1.3.5 cannot delete a chain in the commit that deletes the jump to it. nat first: no address may be rewritten for a chain that no longer accepts.
function plan_nothing() { take_away("nat", "D"); take_away("filter", "D"); take_away("mangle", "D") }
function take_away(t, mark,  k, i, line, some) {
  for (k = 1; k <= chain_count; k++) if (chain_table[k] == t && ((t, "XENNET-" base[k]) in declared)) some = 1
  if (!some) return
  print mark "1 *" t; print mark "2 *" t
  for (i = 1; i <= saved_all; i++) {
    line = all_line[i]
    if (all_table[i] != t || !is_reference(line) || ((t, all_chain[i]) in own_chain)) continue
    sub(/^-A/, "-D", line); print mark "1 " line
  }
  for (k = 1; k <= chain_count; k++) if (chain_table[k] == t && ((t, "XENNET-" base[k]) in declared)) { print mark "1 :XENNET-" base[k] " - [0:0]"; print mark "2 -X XENNET-" base[k] }
  print mark "1 COMMIT"; print mark "2 COMMIT"
}

# --- snapshot ---

function snapshot(  i, j, id, part, n) {
  wanted_begin()
  stored_wanted = whole_file(run "/wanted")
  for (i = 1; i <= fragments; i++) if (state[order[i]] == "active" && refused_now(order[i])) state[order[i]] = "waiting"
  print "external " (external == "" ? "-" : external), (external_address == "" ? "-" : external_address), external_mode()
  for (i = 1; i <= network_count; i++) print "bridge " networks[i], (bridge[networks[i]] == "" ? "-" : bridge[networks[i]]), ((bridge[networks[i]] in ifindex) ? "present" : "absent")
  for (i = 1; i <= fragments; i++) {
    id = order[i]
    print "fragment " field[id, "token"], state[id]
    for (j = 1; j <= lines[id]; j++) print text[id, j]
    print "end"
  }
  for (i = 1; i <= broken_count; i++) if (is_hex(broken_name[i], 12)) print "damaged " broken_name[i]
  n = split(own_text(), part, "\n")
  for (i = 1; i < n; i++) if (part[i] !~ /^[a-z]+ :/) print "live " part[i]
  for (i = 1; i <= wanted_count; i++) print "want " wanted_token[i], wanted_table[i], wanted[i]
  find_missing()
  find_foreign()
  for (i = 1; i <= address_count; i++) print "address " address_if[i], address[i]
  printf "%s%s", routes, listens
  print "end"
}
function external_mode(  path, db, at) {
  if (external == "") return "static"
  if (leased[first_address[external]]) return "dhcp"
  path = "/etc/sysconfig/network-scripts/ifcfg-" external
  if (whole_file(path) ~ /BOOTPROTO=["\047]?dhcp/) return "dhcp"
  # xcp-networkd: {"interface_config":{"xenbr0":{…"ipv4_conf":["DHCP4"]…
  db = whole_file("/var/lib/xcp/networkd.db"); gsub(/[ \n\t]/, "", db)
  at = index(db, "\"interface_config\""); if (!at) return "static"
  db = substr(db, at); at = index(db, "\"" external "\":{"); if (!at) return "static"
  db = substr(db, at); at = index(db, "\"ipv4_conf\":"); if (!at) return "static"
  return substr(db, at + 12) ~ /^\[?"DHCP4"/ ? "dhcp" : "static"
}
function token_in(line,  at) {
  at = match(line, /--comment "?xennet-[0-9a-f]+/)
  if (!at) return ""
  line = substr(line, RSTART, RLENGTH); sub(/.*xennet-/, "", line)
  return line
}
# The rule that went in as the n-th of a fragment in a chain came out of iptables-save as the n-th of the fragment in that chain: this pairs both spellings.
function find_missing(  n, i, part, chain, t, key, line, k, id) {
  n = split(whole_file(run "/applied"), part, "\n")
  for (i = 1; i < n; i++) {
    t = part[i]; sub(/ .*/, "", t); line = substr(part[i], length(t) + 2)
    if (line !~ /^-A XENNET-/) continue
    split(line, chain, " ")
    key = token_in(line) " " t " " chain[2]
    applied_line[key, ++applied_count[key]] = line
    known_own[t, line] = 1
  }
  for (k = 1; k <= chain_count; k++) for (i = 1; i <= saved_count[chain_table[k], "XENNET-" base[k]]; i++) present[chain_table[k], saved[chain_table[k], "XENNET-" base[k], i]]++
  for (i = 1; i <= wanted_count; i++) {
    split(wanted[i], chain, " ")
    key = wanted_token[i] " " wanted_table[i] " " chain[2]
    line = applied_line[key, ++used[key]]
    if (wanted_text != stored_wanted || line == "" || present[wanted_table[i], line]-- <= 0) lacks(wanted_id[i], "rule " wanted_table[i] " " wanted[i])
    k = own_chain[wanted_table[i], chain[2]]
    if (jump_text(k) != "" && !((wanted_token[i], k) in jump_said)) { jump_said[wanted_token[i], k] = 1; lacks(wanted_id[i], "jump " chain[2]) }
  }
  needs_begin()
  for (i = 1; i <= needs; i++) if (setting_now(need_kind[i], need_if[i], need_arg[i]) != need_value[i])
    lacks(need_id[i], need_kind[i] (need_kind[i] == "address" ? " " need_arg[i] : need_kind[i] ~ /^(arp|ipv6)$/ ? "" : " " need_if[i]))
}
function lacks(id, what) { missing_count++; missing_id[missing_count] = id; missing[missing_count] = what; if (mode == "snapshot") print "missing " field[id, "token"], what }
function find_foreign(  k, t, i, line, last) {
  for (k = 1; k <= chain_count; k++) {
    t = chain_table[k]; last = place_of_jump(k)
    for (i = 1; i <= saved_count[t, base[k]]; i++) {
      line = saved[t, base[k], i]
      if (line == jump_line(k)) continue
      if (i < last) { foreign(t, line); continue }
    }
    for (i = 1; i <= saved_count[t, "XENNET-" base[k]]; i++) if (!((t, saved[t, "XENNET-" base[k], i]) in known_own)) foreign(t, saved[t, "XENNET-" base[k], i])
  }
  for (i = 1; i <= saved_all; i++) if (all_table[i] == "nat" && all_chain[i] != "OUTPUT" && !(("nat", all_chain[i]) in own_chain) && all_line[i] ~ /-j (DNAT|REDIRECT)/) foreign("nat", all_line[i])
}
function place_of_jump(k,  i, t) {
  t = chain_table[k]
  for (i = 1; i <= saved_count[t, base[k]]; i++) {
    if (saved[t, base[k], i] == jump_line(k)) return i
    if (t == "filter" && saved[t, base[k], i] ~ /-j RH-Firewall-1-INPUT$/) return i
  }
  return t != "filter" ? 1 : catch_all(t, base[k])
}
function foreign(t, line) {
  if ((t, line) in foreign_said) return
  foreign_said[t, line] = 1; foreign_count++; foreign_rule[foreign_count] = t " " line
  if (mode == "snapshot") print "foreign " t " " line
}

# --- status, for people ---

function status(  i, j, id, r, line, urn) {
  wanted_begin()
  stored_wanted = whole_file(run "/wanted")
  for (i = 1; i <= fragments; i++) if (state[order[i]] == "active" && refused_now(order[i])) { state[order[i]] = "waiting"; waits_for[order[i]] = "rules that iptables accepts (xennet apply says why)" }
  find_missing()
  if (!fragments) print "Nothing is declared."
  for (i = 1; i <= fragments; i++) {
    id = order[i]
    urn = field[id, "owner"]
    print ""
    print field[id, "kind"] " " field[id, "name"] ": " (((id, "enabled") in field) ? "disabled, " : "") state[id] (state[id] == "waiting" ? " for " waits_for[id] : "") (pending != "" && field[id, "serial"] == pending ? ", pending" : "")
    print "  declared by  " declarer(urn) urn
    print "  token        " field[id, "token"]
    print "  network      " field[id, "network"] " (bridge " (bridge_of[id] == "" ? "not known yet" : bridge_of[id] ((bridge_of[id] in ifindex) ? "" : ", not there")) ")"
    if ((id, "description") in field) print "  description  " field[id, "description"]
    for (j = 1; j <= claims[id]; j++) print "  port         " claim[id, j]
    for (j = 1; j <= settings[id]; j++) print "  setting      " setting[id, j]
    for (j = 1; j <= missing_count; j++) if (missing_id[j] == id) print "  MISSING      " missing[j]
    say_shadows(i)
    split("", taken)
    if (rules[id]) print "      HITS  RULE"
    for (r = 1; r <= rules[id]; r++) {
      line = saved_form(id, r)
      print "  " (line == "" ? "       -" : sprintf("%8d", hits[table_of[id, r], line])) "  " table_of[id, r] " " resolved[id, r]
    }
  }
  for (i = 1; i <= broken_count; i++) print "\nDAMAGED " broken[i]
  say_foreign()
}
# urn:pulumi:<stack>::<project>::…
function declarer(urn,  part) {
  if (split(urn, part, "::") < 2 || part[1] !~ /^urn:pulumi:./) return ""
  return "stack " substr(part[1], 12) " of project " part[2] ", "
}
# Two fragments may hold the same port for a while: the one that comes first in the chain has it.
function say_shadows(i,  r, j, q, text) {
  for (r = 1; r <= rules[order[i]]; r++) {
    text = matched_by(order[i], r)
    for (j = 1; j < i; j++) for (q = 1; text != "" && q <= rules[order[j]]; q++)
      if (state[order[j]] == "active" && matched_by(order[j], q) == text) { print "  SHADOWED     by " field[order[j], "name"] ": " text; text = "" }
  }
}
# What a rule that rewrites a target matches.
function matched_by(id, r,  text) {
  text = resolved[id, r]
  if (text !~ /^-A XENNET-PREROUTING .*-j DNAT/) return ""
  sub(/^-A XENNET-PREROUTING /, "", text); sub(/ -m comment .*/, "", text)
  return text
}
function say_foreign(  i) {
  find_foreign()
  if (!foreign_count || off) return
  print "\nRules of others that come before ours, or rewrite targets themselves; a packet that they take never meets ours:"
  for (i = 1; i <= foreign_count; i++) print "  " foreign_rule[i]
}
function saved_form(id, r,  chain, key) {
  split(rule[id, r], chain, " ")
  key = field[id, "token"] " " table_of[id, r] " " chain[2]
  return applied_line[key, ++taken[key]]
}
'

# ---------------------------------------------------------------------------------------------------------------------------------------------------------------------
# Transaction (awk): checks it, says what each operation comes to, and in mode `write` stores the fragments
# ---------------------------------------------------------------------------------------------------------------------------------------------------------------------

# shellcheck disable=SC2016 # awk text
TRANSACTION_AWK='
BEGIN {
  chains_begin()
  files = ARGC - 1
  for (i = 1; i <= files; i++) file[i] = ARGV[i]
  ARGC = 1
}
failed != "" || committed { if (!committed) next; if ($0 != "") failed = "error MALFORMED text after commit"; next }
open_fragment { fragment_line(op, $0); if (complete[op]) open_fragment = 0; next }
expect_fragment { expect_fragment = 0; open_fragment = 1; fragment_begin(op, $0); next }
NR == 1 { if ($0 ~ /^xennet-transaction [0-9]+$/ && $2 > 1) failed = "error FORMAT_NEWER the transaction has format " $2 ", this program knows 1"
          else if ($0 != "xennet-transaction 1") failed = "error MALFORMED a transaction begins with: xennet-transaction 1"; next }
$1 == "host" && NF == 2 { host = $2; next }
$1 == "window" && NF == 2 && is_number($2) && $2 >= 1 && $2 <= 600 { window = $2 + 0; next }
$1 == "put" && NF == 2 && is_hex($2, 12) { operation("put", $2); expect_fragment = 1; next }
$1 == "remove" && NF == 3 && is_hex($2, 12) && is_hex($3, 16) { operation("remove", $2); incarnation[op] = $3; next }
$0 == "commit" { committed = 1; next }
{ failed = "error MALFORMED line " NR ": " printable($0) }
END {
  if (failed == "" && !committed) failed = "error MALFORMED the transaction has no commit; nothing was changed"
  if (failed == "" && (host == "" || !window)) failed = "error MALFORMED host and window (1 to 600 seconds) are needed"
  if (failed == "" && inventory("INSTALLATION_UUID") != host) failed = "error HOST_MISMATCH " printable(inventory("INSTALLATION_UUID"))
  if (failed != "") { print failed; exit }
  load_base()
  if (mode == "check") print "window " window
  for (i = 1; i <= op; i++) if (kind[i] == "put") do_put(i); else do_remove(i)
  if (mode == "check") print "done"
}
function operation(what, token) {
  if (token in operation_of) failed = "error MALFORMED two operations on " token
  op++; operation_of[token] = op; kind[op] = what; op_token[op] = token
}
function load_base(  i, id, n, part) {
  for (i = 1; i <= files; i++) {
    id = "base" i
    if (fragment_file(id, file[i])) stored[field[id, "token"]] = id
    else damaged[name_of(file[i])] = 1
  }
  n = split(irregular, part, " ")
  for (i = 1; i <= n; i++) damaged[part[i]] = 1
}
function body(id,  i, content) {
  content = ""
  for (i = 1; i <= lines[id]; i++) if (text[id, i] !~ /^serial /) content = content text[id, i] "\n"
  return content
}
function do_put(i,  token) {
  token = op_token[i]
  if (problem[i] == "" && field[i, "token"] != token) problem[i] = "is of another token than its put"
  if (problem[i] == "" && ((i, "serial") in field)) problem[i] = "must not bring a serial"
  if (problem[i] != "") { if (mode == "check") print "invalid " token " " printable(problem[i]); return }
  if ((token in stored) && body(stored[token]) == body(i)) { if (mode == "check") print "same " token; return }
  if (mode == "check") print "put " token; else store(i, token)
}
function do_remove(i,  token, there) {
  token = op_token[i]
  # Nobody can tell the incarnation of a damaged file, and nobody needs it.
  there = (token in damaged) || (token in stored) && field[stored[token], "incarnation"] == incarnation[i]
  if (mode == "check") print (there ? "drop " : "absent ") token
}
function store(i, token,  path, j, content, line, found) {
  path = dir "/" token ".fragment"
  for (j = 1; j <= lines[i]; j++) { content = content text[i, j] "\n"; if (text[i, j] ~ /^token /) content = content "serial " serial "\n" }
  content = content "end\n"
  printf "%s", content > path
  close(path)
  while ((getline line < path) > 0) found = found line "\n"
  close(path)
  if (found != content) print "error STORE_FAILED cannot write " path
}
'

# ---------------------------------------------------------------------------------------------------------------------------------------------------------------------
# Commands
# ---------------------------------------------------------------------------------------------------------------------------------------------------------------------

main() {
  command=${1-}
  [ $# -gt 0 ] && shift
  case $command in
    apply) [ $# = 0 ] || usage; cmd_apply ;;
    snapshot) [ $# = 0 ] || usage; cmd_snapshot ;;
    transact) [ $# = 0 ] || usage; cmd_transact ;;
    confirm) [ $# = 1 ] || usage; cmd_confirm "$(number "$1")" ;;
    revert) [ $# = 1 ] || usage; cmd_revert "$(number "$1")" ;;
    status) [ $# = 0 ] || usage; cmd_status ;;
    off) [ $# = 0 ] || usage; cmd_off ;;
    on) [ $# = 0 ] || usage; cmd_on ;;
    remove) case $# in 0) cmd_remove ;; 1) cmd_remove_one "$1" ;; *) usage ;; esac ;;
    help | -h | --help) cmd_help ;;
    *) usage ;;
  esac
}

usage() {
  echo "usage: xennet apply | snapshot | transact | confirm <n> | revert <n> | status | off | on | remove [<token>] | help" >&2
  exit 64
}

cmd_help() {
  cat <<EOF
xennet keeps the network settings that Pulumi stacks declared for this host, under $ETC.

  xennet status   what is declared and by which stack, what is active, pending, waiting, missing or shadowed; hits of each rule
  xennet off      takes everything of it off this host, through reboots, until:
  xennet on       puts it back
  xennet apply    makes the host match at once; the host calls this itself at boot, when a bridge appears, and every minute
  xennet remove   takes everything off this host for good, the declarations and this program too
  xennet remove <token>   takes one declaration off this host, at once; 'xennet status' shows the tokens

  xennet snapshot, transact, confirm <n>, revert <n> are for the provider.
EOF
}

number() {
  case $1 in
    '' | *[!0-9]* | ??????????*) echo 0 ;;
    *) echo "$1" ;;
  esac
}

cmd_apply() {
  [ -d "$ETC" ] || exit 0
  open_files
  settle
  if [ "$SETTLED" = nothing ]; then return; fi
  converge || exit 65
  [ "$SETTLED" = no ] || hooks_follow
  if [ "$CHANGED" = yes ] || [ "$SETTLED" = yes ]; then echo changed; fi
}

cmd_snapshot() {
  # A shared look without making anything: the lock file is there only where something of ours runs.
  if [ -e "$RUN/lock" ]; then
    exec 9<"$RUN/lock"
    flock -s -w "$LOCK_WAIT" 9 || busy
  fi
  print_snapshot
}

cmd_transact() {
  transaction=$(cat)
  firewalld_active && refuse "FIREWALLD firewalld is active on this host; hosts with firewalld are not supported yet"
  # A transaction that is refused leaves nothing behind: on a bare host it is checked before the first directory is made.
  if [ ! -d "$ETC" ]; then
    read_generations
    check_transaction
  fi
  open_files
  [ -x "$PROGRAM" ] || refuse "PROGRAM_MISSING $PROGRAM was removed meanwhile; install it again"
  settle keep
  check_transaction
  [ -z "$PENDING" ] || pending_busy
  # The program may have come with this transaction, onto a host with the hooks of an older one.
  hooks_follow
  mkdir -p "$ETC" || abandon "STORE_FAILED cannot make $ETC"
  stage_transaction
  if [ "$STAGED" = yes ]; then
    outcomes
    echo "pending $PENDING $(seconds_left)"
  else
    if [ -z "$CONFIRMED" ]; then uninstall; else converge || refuse "${PROBLEM_CODE:-HOST_PROGRAM_FAILED} $PROBLEM"; fi
    outcomes
    echo unchanged
  fi
  print_snapshot
}

cmd_confirm() {
  [ -d "$ETC" ] || refuse "EXPIRED $1"
  open_files
  read_generations
  # The answer to an earlier `confirm` may have been lost, or its run cut short.
  if [ "$CONFIRMED" = "$1" ] && [ "${PENDING:-$1}" = "$1" ]; then
    rm -f "$ETC/pending"
    drop_generations
    echo "confirmed $1"
    print_snapshot
    return
  fi
  if [ "$PENDING" != "$1" ]; then
    settle
    [ "$SETTLED" = nothing ] || converge
    refuse "EXPIRED $1"
  fi
  if generation_is_empty "$1"; then
    uninstall
    echo "confirmed $1"
    print_snapshot
    return
  fi
  replace_file "$ETC/confirmed" "$1" durable || refuse "STORE_FAILED cannot write $ETC/confirmed"
  rm -f "$ETC/pending"
  stop_guard
  read_generations
  drop_generations
  hooks_follow
  leave_mangle
  echo "confirmed $1"
  print_snapshot
}

# What was kept for the way back goes now. Should it fail, the next `apply` tries again; the confirmation stands.
leave_mangle() {
  if grep -q '^mangle :XENNET-' "$RUN/applied" 2>/dev/null; then converge; fi
  return 0
}

cmd_revert() {
  if [ ! -d "$ETC" ]; then echo "reverted $1"; return; fi
  open_files
  read_generations
  [ "${PENDING:-$1}" = "$1" ] || pending_busy
  if [ -z "$PENDING" ] && [ "$CONFIRMED" = "$1" ]; then refuse "CONFIRMED $1 is confirmed already"; fi
  rm -f "$ETC/pending"
  settle
  if [ "$SETTLED" != nothing ]; then
    drop_generations
    converge || exit 65
    stop_guard
    hooks_follow
  fi
  echo "reverted $1"
}

cmd_status() {
  if [ -e "$RUN/lock" ]; then
    exec 9<"$RUN/lock"
    flock -s -w "$LOCK_WAIT" 9 || busy
  fi
  read_generations
  echo "xennet program $VERSION, format $FORMAT"
  if [ -e "$ETC/off" ]; then echo "OFF: switched off by 'xennet off'; 'xennet on' switches it on again"; fi
  if [ -n "$PENDING" ]; then
    echo "generation $PENDING is pending: the host goes back to ${CONFIRMED:-nothing} in $(seconds_left) s unless it is confirmed"
  elif [ -n "$CONFIRMED" ]; then
    echo "generation $CONFIRMED is confirmed"
  fi
  hooks_current || [ -z "$EFFECTIVE" ] || ! persistent "$EFFECTIVE" ||
    echo "MISSING, or not as this program writes them: the hooks that call 'xennet apply' at boot and every minute; the next pulumi up writes them"
  load_host -c || exit 65
  consult status || exit 65
  printf '%s\n' "$ANSWER"
}

cmd_off() {
  [ -d "$ETC" ] || { echo "Nothing of xennet is on this host."; return; }
  open_files
  settle
  if [ "$SETTLED" != nothing ]; then
    replace_file "$ETC/off" off || refuse "STORE_FAILED cannot write $ETC/off"
    converge || exit 65
  fi
  echo "xennet is off: its rules, addresses and settings are gone from this host until 'xennet on'."
}

cmd_on() {
  [ -d "$ETC" ] || { echo "Nothing of xennet is on this host."; return; }
  open_files
  settle
  if [ "$SETTLED" != nothing ]; then
    rm -f "$ETC/off"
    converge || exit 65
  fi
  echo "xennet is on."
}

cmd_remove() {
  if [ -d "$ETC" ]; then open_files; fi
  uninstall
  echo "Everything of xennet was removed from this host."
}

# For who stands at the console: no window, as for `off`.
cmd_remove_one() { # <token>
  has_token "$1" || refuse "NOT_DECLARED a token is 12 digits and letters from a to f; 'xennet status' shows them"
  [ -d "$ETC" ] || refuse "NOT_DECLARED nothing is declared on this host"
  open_files
  settle
  [ -z "$PENDING" ] || pending_busy
  gone=$(confirmed_dir)/$1.fragment
  if [ "$SETTLED" = nothing ] || { [ ! -e "$gone" ] && [ ! -L "$gone" ]; }; then refuse "NOT_DECLARED nothing with the token $1 is declared on this host; 'xennet status' shows the tokens"; fi
  next=$(next_generation) || refuse "STORE_FAILED cannot write $ETC/last"
  new=$ETC/generations/$next
  { rm -rf "$new.new" && mkdir -p "$new.new"; } || refuse "STORE_FAILED cannot make $new"
  copy_confirmed "$new.new"
  rm -f "$new.new/$1.fragment"
  mv "$new.new" "$new" || refuse "STORE_FAILED cannot name $new"
  if generation_is_empty "$next"; then
    uninstall
  else
    replace_file "$ETC/confirmed" "$next" durable || refuse "STORE_FAILED cannot write $ETC/confirmed"
    read_generations
    drop_generations
    converge || exit 65
    hooks_follow
  fi
  echo "$1 is declared on this host no more. Its stack sees that with 'pulumi refresh'."
}

# ---------------------------------------------------------------------------------------------------------------------------------------------------------------------
# Transactions
# ---------------------------------------------------------------------------------------------------------------------------------------------------------------------

check_transaction() {
  DECISIONS=$(parse_transaction check) || refuse "HOST_PROGRAM_FAILED awk failed (status $?) when it read the transaction; nothing was changed"
  case $DECISIONS in
    error\ * | *'
error '*) printf '%s\n' "$DECISIONS" | grep '^error '; exit 65 ;;
    window\ *'
done') ;;
    *) refuse "MALFORMED the transaction cannot be read" ;;
  esac
}

# Builds generation <n> beside the confirmed one. Sets STAGED to yes when it differs and is live, waiting for its confirmation.
stage_transaction() {
  STAGED=no FAILED='' FAILURES='' UNDONE='' UNDONE_CODE=''
  decided put >/dev/null || decided drop >/dev/null || return 0
  next=$(next_generation) || abandon "STORE_FAILED cannot write $ETC/last"
  new=$ETC/generations/$next
  rm -rf "$new.new"
  mkdir -p "$new.new" || abandon "STORE_FAILED cannot make $new"
  copy_confirmed "$new.new"
  problem=$(parse_transaction write "$new.new" "$next") || problem="error STORE_FAILED awk failed (status $?) when it wrote $new"
  [ -n "$problem" ] || problem=$(cut_short "$new.new")
  [ -z "$problem" ] || abandon "${problem#error }"
  for token in $(decided drop); do rm -f "$new.new/$token.fragment"; done
  [ -e "$ETC/off" ] || try_rules "$new.new"
  if same_generation "$new.new"; then rm -rf "$new.new"; return 0; fi
  mv "$new.new" "$new" || abandon "STORE_FAILED cannot name $new"
  go_pending "$next"
}

# Names a fragment of the transaction that did not get onto the disk whole.
cut_short() { # <generation's directory>
  for token in $(decided put); do
    if [ "$(sed -n '$p' "$1/$token.fragment" 2>/dev/null)" != end ]; then
      echo "STORE_FAILED $1/$token.fragment is cut short"
      return
    fi
  done
}

# Gives a transaction up. Where nothing was ever confirmed, nothing of ours stays.
abandon() { # <code and text>
  echo "error $1"
  rm -f "$ETC/pending"
  if [ -z "$CONFIRMED" ]; then uninstall; else drop_generations; fi
  exit 65
}

go_pending() {
  window=$(decided window)
  replace_file "$ETC/format" "$FORMAT" || abandon "STORE_FAILED cannot write $ETC/format"
  uptime_now
  DEADLINE=$((NOW + window))
  replace_file "$ETC/pending" "$1 $BOOT $DEADLINE" || abandon "STORE_FAILED cannot write $ETC/pending"
  start_guard "$window"
  # Where nothing was confirmed yet they come in any case: after a reboot inside the window nobody else would clear away.
  if [ -z "$CONFIRMED" ] || persistent "$ETC/generations/$1"; then hooks_current || hooks_install; fi
  PENDING=$1 EFFECTIVE=$ETC/generations/$1
  if converge; then
    # What passed the test and failed the commit.
    undo_refused "$EFFECTIVE"
    if [ -z "$UNDOING" ]; then STAGED=yes; return; fi
    if ! same_generation "$EFFECTIVE"; then
      if converge; then STAGED=yes; return; fi
      UNDONE=$PROBLEM UNDONE_CODE=$PROBLEM_CODE
    fi
  else
    UNDONE=$PROBLEM UNDONE_CODE=$PROBLEM_CODE
  fi
  rm -f "$ETC/pending"
  stop_guard
  read_generations
  drop_generations
}

try_rules() {
  EFFECTIVE=$1
  make_plan || abandon "HOST_PROGRAM_FAILED $PROBLEM"
  find_refused
  EFFECTIVE=$(confirmed_dir)
  undo_refused "$1"
}

# Puts that iptables refuses fail alone: their former version, if any, comes back. UNDOING: their tokens.
undo_refused() { # <generation's directory>
  UNDOING=''
  from=$(confirmed_dir)
  for token in $REFUSED; do
    decided put | grep -q -x "$token" || continue
    UNDOING="$UNDOING $token"
    rm -f "$1/$token.fragment"
    if [ -n "$from" ] && is_regular "$from/$token.fragment"; then cp -p "$from/$token.fragment" "$1/"; fi
  done
  FAILED="$FAILED$UNDOING"
  FAILURES="$FAILURES$REFUSALS"
}

outcomes() {
  # Without a put it is no rule that was refused.
  undone_code=RESTORE_FAILED
  if decided put >/dev/null; then undone_code=RULE_REFUSED; fi
  undone_code=${UNDONE_CODE:-$undone_code}
  printf '%s\n' "$DECISIONS" | while read -r what token detail; do
    case $what in
      window | done) ;;
      invalid) echo "outcome $token error FRAGMENT_INVALID $detail" ;;
      absent) echo "outcome $token absent" ;;
      put | drop)
        if [ -n "$UNDONE" ]; then echo "outcome $token error $undone_code $UNDONE"
        elif [ "$what" = put ] && is_word "$token" "$FAILED"; then echo "outcome $token error RULE_REFUSED $(refusal "$token")"
        else echo "outcome $token ok"; fi ;;
      *) echo "outcome $token ok" ;;
    esac
  done
}

parse_transaction() { # <mode> [dir] [serial]
  fragments_of "$(confirmed_dir)"
  printf '%s\n' "$transaction" | run_awk "$FRAGMENT_AWK$TRANSACTION_AWK" -v mode="$1" -v dir="${2-}" -v serial="${3-}"
}

decided() { printf '%s\n' "$DECISIONS" | sed -n "s/^$1 //p" | grep .; }

is_word() { case " $2 " in *" $1 "*) return 0 ;; esac; return 1; }

# Numbers are never used twice: a late `confirm` must not meet another transaction's generation.
next_generation() {
  last=$(first_word "$ETC/last")
  last=$(number "${last:-0}")
  [ "$last" -ge "${CONFIRMED:-0}" ] || last=$CONFIRMED
  replace_file "$ETC/last" $((last + 1)) && echo $((last + 1))
}

copy_confirmed() { # <directory>
  from=$(confirmed_dir) into=$1
  [ -n "$from" ] || return 0
  set --
  for fragment in "$from"/*.fragment; do
    if is_regular "$fragment" && has_token "$fragment"; then set -- "$@" "$fragment"; fi
  done
  [ $# = 0 ] || cp -p "$@" "$into/" || abandon "STORE_FAILED cannot copy $from"
}

is_regular() { [ -f "$1" ] && [ ! -L "$1" ]; }

# Named as fragments are.
has_token() {
  name=${1##*/}
  name=${name%.fragment}
  case $name in *[!0-9a-f]*) return 1 ;; esac
  [ ${#name} = 12 ]
}

same_generation() {
  from=$(confirmed_dir)
  for fragment in "$1"/*.fragment; do
    [ -f "$fragment" ] || continue
    if [ -z "$from" ] || [ ! -f "$from/${fragment##*/}" ]; then return 1; fi
  done
  for fragment in "$from"/*.fragment; do
    if { [ -e "$fragment" ] || [ -L "$fragment" ]; } && [ ! -f "$1/${fragment##*/}" ]; then return 1; fi
  done
  # The names are the same, and every text holds its own: all at once, as a process for each costs more than all else.
  [ -z "$from" ] || [ "$(cat "$1"/*.fragment 2>/dev/null)" = "$(cat "$from"/*.fragment 2>/dev/null)" ]
}

# ---------------------------------------------------------------------------------------------------------------------------------------------------------------------
# Generations
# ---------------------------------------------------------------------------------------------------------------------------------------------------------------------

# Sets CONFIRMED, PENDING (only while it is in force), DEADLINE, EFFECTIVE (a directory, or empty).
read_generations() {
  uptime_now
  read -r BOOT </proc/sys/kernel/random/boot_id
  CONFIRMED='' PENDING='' DEADLINE=0 EFFECTIVE=''
  if [ -f "$ETC/format" ]; then
    stored=$(first_word "$ETC/format")
    if [ "$(number "$stored")" -gt "$FORMAT" ]; then refuse "FORMAT_NEWER $ETC has format $stored, this program knows $FORMAT"; fi
  fi
  if [ -f "$ETC/confirmed" ]; then
    CONFIRMED=$(number "$(first_word "$ETC/confirmed")")
    # Never guess: without its number the declarations are kept and the live state is left alone.
    if [ "$CONFIRMED" = 0 ] || [ ! -d "$ETC/generations/$CONFIRMED" ]; then refuse "CONFIRMED_UNREADABLE $ETC/confirmed does not name a generation under $ETC/generations"; fi
  fi
  if [ -f "$ETC/pending" ]; then
    read -r number boot deadline rest <"$ETC/pending" || true
    if [ "$boot" = "$BOOT" ] && [ -z "$rest" ] && [ "$(number "$deadline")" -gt "$NOW" ] && [ -d "$ETC/generations/$(number "$number")" ]; then
      PENDING=$number DEADLINE=$deadline
    fi
  fi
  EFFECTIVE=${PENDING:-$CONFIRMED}
  EFFECTIVE=${EFFECTIVE:+$ETC/generations/$EFFECTIVE}
}

seconds_left() {
  uptime_now
  if [ "$DEADLINE" -gt "$NOW" ]; then echo $((DEADLINE - NOW)); else echo 0; fi
}

confirmed_dir() { [ -z "$CONFIRMED" ] || echo "$ETC/generations/$CONFIRMED"; }

# Ends what is over: an expired or foreign-boot pending generation, and a host on which nothing was ever confirmed. SETTLED: no, yes (went back), nothing (all is gone).
settle() { # [keep]: keep the files, a transaction follows
  SETTLED=no
  read_generations
  if [ -f "$ETC/pending" ] && [ -z "$PENDING" ]; then
    rm -f "$ETC/pending"
    SETTLED=yes
  fi
  [ -z "$PENDING" ] || return 0
  if [ -z "$CONFIRMED" ] && [ "${1-}" != keep ]; then
    uninstall
    SETTLED=nothing
    return
  fi
  [ "$SETTLED" = no ] || drop_generations
}

drop_generations() {
  for old in "$ETC"/generations/*; do
    case $old in
      "$ETC/generations/$CONFIRMED" | "$ETC/generations/$PENDING") ;;
      *) rm -rf "$old" ;;
    esac
  done
}

# What cannot be read has no effect and keeps nothing alive.
generation_is_empty() {
  fragments_of "$ETC/generations/$1"
  readable=$(run_awk "$FRAGMENT_AWK"'BEGIN { chains_begin(); for (i = 1; i < ARGC; i++) if (fragment_file(i, ARGV[i])) n++; print n + 0; exit }') ||
    refuse "HOST_PROGRAM_FAILED awk failed (status $?) when it read generation $1"
  [ "$readable" = 0 ]
}

# The guard must outlive the caller's session and hold none of its descriptors: the lock above all, which would stop all healing for the whole window.
start_guard() {
  # shellcheck disable=SC2016 # expanded by the guard
  setsid sh -c 'sleep "$1"; [ ! -x "$2" ] || exec "$2" apply' xennet-guard $(($1 + 1)) "$PROGRAM" \
    </dev/null >/dev/null 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- &
  replace_file "$RUN/guard" "$!"
}

# The number may be another process's by now: only one that still is a guard is ended, its sleep with it.
stop_guard() {
  guard=$(first_word "$RUN/guard")
  rm -f "$RUN/guard"
  case $guard in '' | *[!0-9]*) return ;; esac
  if grep -q xennet-guard "/proc/$guard/cmdline" 2>/dev/null; then kill -s TERM -- "-$guard"; fi
}

# ---------------------------------------------------------------------------------------------------------------------------------------------------------------------
# Making the host match
# ---------------------------------------------------------------------------------------------------------------------------------------------------------------------

# Plans and acts until nothing is left to do. Sets CHANGED; false (and PROBLEM, for some with PROBLEM_CODE) when the host cannot be brought there.
converge() {
  CHANGED=no PROBLEM='' PROBLEM_CODE='' REFUSED='' REFUSALS=''
  for pass in 1 2 3 4 5; do
    make_plan || return 1
    [ -n "$PLAN" ] || return 0
    case $pass in 5) break ;; esac
    act || return 1
  done
  [ -n "$PROBLEM_CODE" ] || PROBLEM="the host does not keep what was set: $(printf '%s' "$PLAN" | head -n 1)"
  complain "$PROBLEM"
  return 1
}

act() {
  remember_bridges
  printf '%s\n' "$PLAN" | sed -n 's/^R //p' | set_values
  if planned K; then
    # The rules matter more: they go on, and the host is asked for this again.
    plan_lines 'K ' | store_text "$RUN/former" || unstored "$RUN/former"
  fi
  # After the records that go, or they would take the new ones along.
  remember_former || return 1
  if planned P; then install_rules || return 1; fi
  if planned M1; then remove_in_two M || return 1; note_applied || return 1; fi
  if planned D1; then remove_rules || return 1; fi
  if planned A; then CHANGED=yes; plan_lines 'A ' | set_values || return 1; fi
  if planned R; then CHANGED=yes; fi
}

planned() { case "
$PLAN" in *"
$1"*) return 0 ;; esac; return 1; }

plan_lines() { printf '%s\n' "$PLAN" | sed -n "s/^$1//p"; }

# Fills PLAN; false (and PROBLEM) when nobody can tell what is to be done.
make_plan() {
  PLAN=''
  load_host || return 1
  consult plan || return 1
  PLAN=$ANSWER
}

remember_bridges() {
  if planned 'B '; then plan_lines 'B ' | store_text "$RUN/bridges"; fi
}

# Before the first change of a value its former one is on record, or it could not be put back after a crash.
remember_former() {
  planned 'N ' || return 0
  { [ ! -f "$RUN/former" ] || cat "$RUN/former"; plan_lines 'N '; } | store_text "$RUN/former" || unstored "$RUN/former"
}

set_values() {
  result=0
  while read -r kind interface arg value; do
    case $kind in
      address)
        if [ "$value" = present ]; then ip addr add "$arg" brd + dev "$interface"; else ip addr del "$arg" dev "$interface"; fi ;;
      arp) ip link set dev "$interface" arp "$value" ;;
      forwarding | proxy_arp | send_redirects | arp_filter) echo "$value" >"/proc/sys/net/ipv4/conf/$interface/$kind" ;;
      ipv6) echo "$value" >"/proc/sys/net/ipv6/conf/$interface/disable_ipv6" ;;
    esac || { complain "cannot set $kind of $interface to $value"; result=1; }
  done
  return $result
}

install_rules() {
  find_refused
  restore "$(payload "$REFUSED")" || commit_one_by_one || {
    PROBLEM="iptables-restore failed: $RESTORE_ERROR"
    complain "$PROBLEM"
    return 1
  }
  CHANGED=yes
  for token in $REFUSED; do echo "$token"; done | store_text "$RUN/refused" || unstored "$RUN/refused" || return 1
  plan_lines 'W ' | store_text "$RUN/wanted" || unstored "$RUN/wanted" || return 1
  note_applied
}

note_applied() {
  load_host || return 1
  consult own || return 1
  { [ -z "$ANSWER" ] || printf '%s\n' "$ANSWER"; } | store_text "$RUN/applied" || unstored "$RUN/applied"
}

remove_rules() {
  remove_in_two D || return 1
  rm -f "$RUN/wanted" "$RUN/applied" "$RUN/refused"
}

remove_in_two() { # <mark>
  for part in 1 2; do
    restore "$(plan_lines "$1$part ")" || { PROBLEM="iptables-restore failed: $RESTORE_ERROR"; complain "$PROBLEM"; return 1; }
  done
  CHANGED=yes
}

# Only when all rules together fail are fragments tried one by one. Sets REFUSED and REFUSALS.
find_refused() {
  REFUSED='' REFUSALS=''
  planned P || return 0
  restore "$(payload '')" --test && return 0
  for token in $(planned_tokens); do restore "$(payload_of "$token")" --test || refuse_token "$token"; done
}

# The kernel refused what passed the test (SNAT in PREROUTING, a missing module): one fragment after the other joins those that it took.
commit_one_by_one() {
  accepted=''
  for token in $(planned_tokens); do
    is_word "$token" "$REFUSED" && continue
    if restore "$(payload_of "$accepted $token")"; then accepted="$accepted $token"; else refuse_token "$token"; fi
  done
  restore "$(payload "$REFUSED")"
}

refuse_token() {
  REFUSED="$REFUSED $1"
  REFUSALS="$REFUSALS$1 $RESTORE_ERROR
"
  complain "iptables refuses the rules of $1: $RESTORE_ERROR"
}

planned_tokens() { printf '%s\n' "$PLAN" | awk '$1 == "P" && $2 != "-" && !seen[$2]++ { print $2 }'; }

refusal() { printf '%s' "$FAILURES" | sed -n "s/^$1 //p" | head -n 1; }

payload() { # <tokens left out>
  # shellcheck disable=SC2016 # awk text
  select_rules '$2 == "-" || !index(tokens, " " $2 " ")' "$1"
}

payload_of() { # <the only tokens>
  # shellcheck disable=SC2016 # awk text
  select_rules '$2 == "-" || index(tokens, " " $2 " ")' "$1"
}

# Prints nothing when awk fails: `restore` refuses that, where a part might pass for the whole.
select_rules() { # <condition> <tokens>
  selected=$(printf '%s\n' "$PLAN" | awk -v tokens=" $2 " '$1 == "P" && ('"$1"') { sub(/^P [^ ]+ /, ""); print }') && printf '%s\n' "$selected"
}

# 1.3.5 takes no lock and may meet another writer: tried again a few times.
restore() { # <input> [--test]
  input=$1
  shift
  case $input in *COMMIT) ;; *) RESTORE_ERROR='its input could not be put together'; return 1 ;; esac
  wait_option
  tries=3
  while :; do
    # shellcheck disable=SC2086 # WAIT is one option or none
    RESTORE_ERROR=$(printf '%s\n' "$input" | iptables-restore --noflush $WAIT "$@" 2>&1 >/dev/null)
    status=$?
    RESTORE_ERROR=$(printf '%s' "$RESTORE_ERROR" | grep -v '^# Warning' | sed -n '1p' | tr -d '\000-\037')
    if [ $status = 0 ]; then return 0; fi
    tries=$((tries - 1))
    case $status:$RESTORE_ERROR in
      4:* | *'temporarily unavailable'*) [ $tries -gt 0 ] || return 1; sleep 1 ;;
      *) return 1 ;;
    esac
  done
}

wait_option() {
  [ -z "${WAIT_KNOWN-}" ] || return 0
  WAIT_KNOWN=yes WAIT=''
  if iptables-restore --help 2>&1 </dev/null | grep -q -e '--wait'; then WAIT=--wait=10; fi
}

# ---------------------------------------------------------------------------------------------------------------------------------------------------------------------
# Looking at the host
# ---------------------------------------------------------------------------------------------------------------------------------------------------------------------

# Sets ADDRESSES, RULES and BRIDGES. Without `-t`, iptables-save reads only tables that are loaded: it loads none, legacy or nft.
load_host() { # [-c]
  ADDRESSES=$(ip addr) || { PROBLEM='ip addr failed'; complain "$PROBLEM"; return 1; }
  saved=0
  RULES=$(iptables-save ${1+"$1"} 2>/dev/null) || saved=$?
  if [ $saved != 0 ]; then
    # 1.3.5 fails, with 1, where no table was ever loaded.
    if [ $saved != 1 ] || [ -e /proc/net/ip_tables_names ]; then PROBLEM='iptables-save failed'; complain "$PROBLEM"; return 1; fi
    RULES=''
  fi
  BRIDGES=$UNKNOWN_BRIDGES
  if [ -f "$RUN/bridges" ]; then BRIDGES="$(cat "$RUN/bridges")
$UNKNOWN_BRIDGES"; fi
}

# Sets ANSWER to the model's; bridges that nobody has named yet are asked for on the way. False (and PROBLEM) when it did not come to its end.
consult() { # <mode>
  consult_once "$1" || return 1
  case $ANSWER in
    resolve\ *)
      ask_bridges
      consult_once "$1" || return 1 ;;
  esac
}

consult_once() { # <mode>
  ended=0
  ANSWER=$(model "$1") || ended=$?
  case $ended:$ANSWER in
    0:done) ANSWER='' ;;
    0:*'
done') ANSWER=${ANSWER%?done} ;;
    *)
      PROBLEM="awk failed (status $ended) in mode $1"
      complain "$PROBLEM"
      return 1 ;;
  esac
}

model() { # <mode>
  off=''
  [ ! -e "$ETC/off" ] || off=1
  fragments_of "$EFFECTIVE"
  { printf '@@ip\n%s\n@@bridges\n%s\n@@save\n%s\n' "$ADDRESSES" "$BRIDGES" "$RULES"
    if [ "$1" = snapshot ]; then
      echo @@route; ip -4 route show
      echo @@listen; if command -v ss >/dev/null; then ss -lntu; else netstat -lntu; fi
    fi
  } | run_awk "$FRAGMENT_AWK$MODEL_AWK" -v mode="$1" -v off="$off" -v run="$RUN" -v pending="$PENDING"
}

fragments_of() { # <directory or nothing>: FRAGMENTS_DIR for run_awk
  FRAGMENTS_DIR=$1
}

run_awk() { # <program> <options…>; the fragment files become its arguments
  program=$1
  shift
  set -- "$@" -v inventory_file="$INVENTORY" -v irregular="$(irregular_fragments)" "$program"
  if [ -n "$FRAGMENTS_DIR" ]; then
    for fragment in "$FRAGMENTS_DIR"/*.fragment; do
      if is_regular "$fragment"; then set -- "$@" "$fragment"; fi
    done
  fi
  awk "$@"
}

# Tokens whose file is a link, a directory or the like: nothing to be read.
irregular_fragments() {
  [ -n "$FRAGMENTS_DIR" ] || return 0
  for fragment in "$FRAGMENTS_DIR"/*.fragment; do
    if { [ -e "$fragment" ] || [ -L "$fragment" ]; } && ! is_regular "$fragment" && has_token "$fragment"; then printf '%s ' "$name"; fi
  done
}

# Answers every `resolve <uuid>` of ANSWER in BRIDGES; `?` tells the model that the answer is of now. Who knows no answer is asked once a run.
ask_bridges() {
  XE_DOWN=no OVS=''
  if uses_ovs; then OVS=$(ovs-vsctl --timeout=3 --bare --columns=name,external_ids list bridge 2>/dev/null | awk '
    NF == 0 { name = ""; next }
    name == "" { name = $1; next }
    { for (i = 1; i <= NF; i++) if (index($i, "xs-network-uuids=") == 1) print name " ;" substr($i, 18) ";" }'); fi
  for uuid in $(printf '%s\n' "$ANSWER" | sed -n 's/^resolve //p'); do
    known=$(printf '%s\n' "$BRIDGES" | sed -n "s/^$uuid \([^ ]*\) .*/\1/p")
    name=$(bridge_of_network "$uuid" "$known")
    case $name in XE_DOWN) XE_DOWN=yes; name='' ;; esac
    BRIDGES="$(printf '%s\n' "$BRIDGES" | grep -v "^$uuid ")
$uuid ${name:--} ? 0"
    [ -n "$name" ] || UNKNOWN_BRIDGES="$UNKNOWN_BRIDGES
$uuid - ? 0"
  done
}

uses_ovs() {
  command -v ovs-vsctl >/dev/null || return 1
  [ "$(first_word /etc/xensource/network.conf)" = openvswitch ] || [ "$(first_word /etc/xensource/network.conf)" = vswitch ]
}

# Prints the name, or nothing when nobody knows it or the bridge of that name belongs to another network.
bridge_of_network() { # <uuid> <name known before>
  name=$(printf '%s\n' "$OVS" | grep -F ";$1;" | sed -n '1s/ .*//p')
  if [ -n "$name" ]; then echo "$name"; return; fi
  [ "$XE_DOWN" = no ] || return 0
  if ! name=$(ask_xe "$1"); then
    # Nobody can tell: the old name does no harm while no interface has it.
    if [ -n "$2" ] && ! ip link show dev "$2" >/dev/null 2>&1; then echo "$2"; else echo XE_DOWN; fi
    return
  fi
  if [ -n "$name" ] && printf '%s\n' "$OVS" | grep -q -F "$name ;"; then
    complain "bridge $name belongs to another network than $1"
    return
  fi
  echo "$name"
}

# xe waits for a xapi that is starting; this program must not. There is no timeout(1) before EL6.
ask_xe() { # <uuid>
  command -v xe >/dev/null || return 1
  # A session of its own, so that the watch ends whatever xe has started too.
  setsid xe network-list uuid="$1" params=bridge --minimal 2>/dev/null 9>&- &
  asked=$!
  { sleep "$XE_LIMIT"; kill -s TERM -- "-$asked"; } >/dev/null 2>&1 9>&- &
  watch=$!
  wait "$asked"
  result=$?
  kill "$watch" 2>/dev/null
  return $result
}

print_snapshot() {
  read_generations
  read -r boot </proc/sys/kernel/random/boot_id
  program=none format=none
  if [ -f "$PROGRAM" ]; then program=$(sed -n '2s/^# xennet program \([^ ]*\) .*/\1/p' "$PROGRAM"); fi
  if [ -f "$ETC/format" ]; then format=$(first_word "$ETC/format"); fi
  echo "xennet-snapshot 1"
  uuid=$(installation_uuid)
  echo "host ${uuid:--}"
  echo "boot $boot"
  echo "program ${program:-none}"
  echo "format $format"
  if [ -e "$ETC/off" ]; then echo "off yes"; else echo "off no"; fi
  echo "confirmed ${CONFIRMED:-none}"
  if [ -n "$PENDING" ]; then echo "pending $PENDING $(seconds_left)"; else echo "pending none"; fi
  load_host || exit 65
  consult snapshot || exit 65
  printf '%s\n' "${ANSWER%?end}"
  surroundings
  echo end
}

# What bears on us and is no rule, address or setting of ours.
surroundings() {
  client=${SSH_CLIENT-}
  client=${client%% *}
  case $client in
    '' | *[!0-9A-Fa-f.:]*) ;;
    *) echo "client ${client#::ffff:}" ;;
  esac
  for key in net.bridge.bridge-nf-call-iptables net.ipv4.conf.all.proxy_arp net.ipv4.conf.all.send_redirects net.ipv4.conf.all.arp_filter; do
    path=/proc/sys/$(echo "$key" | tr . /)
    # Not `read`: a shell that reads by the byte gets no line end from these files.
    if [ -r "$path" ]; then echo "sysctl $key $(cat "$path")"; fi
  done
  for path in "$PROGRAM" "$ETC" $(hooks_files); do
    if [ -e "$path" ]; then echo "file $path"; fi
  done
}

installation_uuid() { sed -n "s/^INSTALLATION_UUID=['\"]\{0,1\}\([0-9a-fA-F-]*\).*/\1/p" "$INVENTORY"; }

firewalld_active() { command -v systemctl >/dev/null && systemctl is-active firewalld >/dev/null 2>&1; }

uptime_now() {
  read -r NOW _ </proc/uptime
  NOW=${NOW%%.*}
}

# ---------------------------------------------------------------------------------------------------------------------------------------------------------------------
# Hooks: what calls `xennet apply` at boot, after the firewall was loaded, when an interface appears, and every minute
# ---------------------------------------------------------------------------------------------------------------------------------------------------------------------

# The one place that chooses how hooks are made.
hooks_kind() { if [ -d /run/systemd/system ]; then echo systemd; else echo sysv; fi; }
hooks_install() { case $(hooks_kind) in sysv) hooks_install_sysv ;; systemd) hooks_install_systemd ;; esac; }
hooks_remove() { case $(hooks_kind) in sysv) hooks_remove_sysv ;; systemd) hooks_remove_systemd ;; esac; }
hooks_files() { case $(hooks_kind) in sysv) hooks_files_sysv ;; systemd) hooks_files_systemd ;; esac; }
# Whether they are there as this program writes them; an older one may have written others, or some more.
hooks_current() { case $(hooks_kind) in sysv) hooks_current_sysv ;; systemd) hooks_current_systemd ;; esac; }
hooks_any() { for file in $(hooks_files); do if [ -e "$file" ] || [ -L "$file" ]; then return 0; fi; done; return 1; }
# The very end of a removal: it may run in one of the units that it ends.
hooks_forget() { case $(hooks_kind) in sysv) ;; systemd) hooks_forget_systemd ;; esac; }

# Whether the host is to put things back by itself: unless every forwarding declines.
persistent() { # <generation's directory>
  fragments_of "$1"
  # shellcheck disable=SC2016 # awk text
  [ "$(run_awk 'BEGIN {
    for (i = 1; i < ARGC; i++) {
      forwarding = declines = 0
      while ((getline line < ARGV[i]) > 0) { if (line == "kind host-forwarding") forwarding = 1; else if (line == "setting persistence none") declines = 1 }
      close(ARGV[i])
      if (forwarding) { if (declines) some = 1; else all = 1 }
    }
    if (some && !all) print "declined"
    exit
  }')" != declined ]
}

# Brings the hooks in line with what is confirmed now.
hooks_follow() {
  if [ -n "$PENDING" ] || [ -z "$CONFIRMED" ]; then return 0; fi
  if persistent "$(confirmed_dir)"; then hooks_current || hooks_install
  elif hooks_any; then hooks_remove; remove_made; hooks_forget; fi
}

UDEV_RULE=/etc/udev/rules.d/95-xennet.rules

hooks_files_sysv() { echo /etc/init.d/xennet "$UDEV_RULE" /etc/cron.d/xennet; }

hooks_current_sysv() {
  for file in $(hooks_files_sysv); do [ -f "$file" ] || return 1; done
  [ -x /etc/init.d/xennet ] && [ "$(cat /etc/init.d/xennet "$UDEV_RULE" /etc/cron.d/xennet)" = "$(init_script; udev_rule_sysv; cron_line)" ]
}

hooks_install_sysv() {
  make_directory /etc/init.d
  make_directory /etc/udev
  make_directory /etc/udev/rules.d
  make_directory /etc/cron.d
  init_script | replace_with /etc/init.d/xennet 755
  udev_rule_sysv | replace_with "$UDEV_RULE" 644
  cron_line | replace_with /etc/cron.d/xennet 644
  if command -v chkconfig >/dev/null; then chkconfig --add xennet; return; fi
  for level in 2 3 4 5; do
    if [ -d /etc/rc.d/rc$level.d ]; then ln -s -f ../../init.d/xennet /etc/rc.d/rc$level.d/S09xennet; fi
  done
}

hooks_remove_sysv() {
  if [ -e /etc/init.d/xennet ] && command -v chkconfig >/dev/null; then chkconfig --del xennet; fi
  for file in /etc/rc.d/rc[2345].d/S09xennet $(hooks_files_sysv); do rm -f "$file"; done
}

udev_rule_sysv() { echo "SUBSYSTEM==\"net\", ACTION==\"add\", KERNEL!=\"vif*|tap*\", RUN+=\"/bin/sh -c '$PROGRAM apply </dev/null >/dev/null 2>&1 &'\""; }

cron_line() { echo "* * * * * root $PROGRAM apply >/dev/null 2>&1"; }

init_script() {
  cat <<'EOF'
#!/bin/sh
# chkconfig: 2345 09 91
# description: Applies the network settings declared under /etc/xennet.
### BEGIN INIT INFO
# Provides: xennet
# Required-Start: $local_fs
# Default-Start: 2 3 4 5
# Default-Stop:
# Short-Description: network settings declared under /etc/xennet
### END INIT INFO
case "$1" in
  start|restart|reload|force-reload) /usr/local/sbin/xennet apply >/dev/null ;;
  stop) ;;
  status) /usr/local/sbin/xennet status ;;
  *) echo "usage: $0 start|stop|restart|status" >&2; exit 2 ;;
esac
EOF
}

UNITS=/etc/systemd/system
ON_INTERFACE='when %I appears'
ON_TIMER='every minute'
UNIT_LINKS="multi-user.target.wants/xennet.service iptables.service.wants/xennet.service"

hooks_files_systemd() {
  for unit in xennet.service xennet@.service xennet-check.service xennet-check.timer $UNIT_LINKS; do echo "$UNITS/$unit"; done
  echo "$UDEV_RULE"
}

hooks_current_systemd() {
  for file in $(hooks_files_systemd); do [ -f "$file" ] || return 1; done
  ! sysv_left && [ "$(cd "$UNITS" && cat xennet.service xennet@.service xennet-check.service xennet-check.timer "$UDEV_RULE")" = "$(unit_service; unit_event "$ON_INTERFACE"; unit_event "$ON_TIMER"; unit_timer; udev_rule_systemd)" ]
}

# Version 1 of this program knew nothing else.
sysv_left() { [ -e /etc/init.d/xennet ] || [ -e /etc/cron.d/xennet ]; }

hooks_install_systemd() {
  if sysv_left; then hooks_remove_sysv; fi
  make_directory /etc/udev
  make_directory /etc/udev/rules.d
  unit_service | replace_with "$UNITS/xennet.service" 644
  unit_event "$ON_INTERFACE" | replace_with "$UNITS/xennet@.service" 644
  unit_event "$ON_TIMER" | replace_with "$UNITS/xennet-check.service" 644
  unit_timer | replace_with "$UNITS/xennet-check.timer" 644
  # As `systemctl enable` would, but on record.
  for link in $UNIT_LINKS; do
    make_directory "$UNITS/${link%/*}"
    ln -s -f "$UNITS/xennet.service" "$UNITS/$link"
  done
  udev_rule_systemd | replace_with "$UDEV_RULE" 644
  reload_systemd
  # Not awaited: it needs the lock that this run holds. The timer by name, as a service that runs already does not pull it in.
  systemctl --no-block start xennet.service xennet-check.timer 9>&- || complain "systemctl start xennet.service failed"
}

hooks_remove_systemd() {
  systemctl stop xennet-check.timer >/dev/null 2>&1 9>&-
  hooks_remove_sysv
  for file in $(hooks_files_systemd); do rm -f "$file"; done
}

hooks_forget_systemd() {
  reload_systemd
  systemctl reset-failed 'xennet*' >/dev/null 2>&1 9>&-
  systemctl --no-block stop xennet.service >/dev/null 2>&1 9>&-
  return 0
}

reload_systemd() {
  systemctl daemon-reload 9>&- || complain "systemctl daemon-reload failed"
  if command -v udevadm >/dev/null; then udevadm control --reload-rules >/dev/null 2>&1 9>&-; fi
  return 0
}

# The rules, after the firewall's own and again whenever that is started or reloaded. When the firewall is stopped by hand this unit stops, the timer with it, and the other
# units need it: nothing comes back until the firewall does. `-`: a failure is told in the log and must not end the healing.
unit_service() {
  cat <<EOF
[Unit]
Description=Network settings declared under /etc/xennet
After=iptables.service
PartOf=iptables.service
ReloadPropagatedFrom=iptables.service
Wants=xennet-check.timer

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=-$PROGRAM apply
ExecReload=-$PROGRAM apply

[Install]
WantedBy=multi-user.target iptables.service
EOF
}

unit_event() { # <when>
  cat <<EOF
[Unit]
Description=Check of the network settings declared under /etc/xennet, $1
Requisite=xennet.service
PartOf=xennet.service
After=xennet.service iptables.service

[Service]
Type=oneshot
ExecStart=$PROGRAM apply
EOF
}

udev_rule_systemd() { echo 'SUBSYSTEM=="net", ACTION=="add", KERNEL!="lo|vif*|tap*", TAG+="systemd", ENV{SYSTEMD_WANTS}+="xennet@%k.service"'; }

unit_timer() {
  cat <<'EOF'
[Unit]
Description=Every minute a check of the network settings declared under /etc/xennet
PartOf=xennet.service

[Timer]
OnActiveSec=60
OnUnitActiveSec=60
AccuracySec=1
EOF
}

# Directories made here are on record, so that removal takes them away again and no others.
make_directory() {
  [ ! -d "$1" ] || return 0
  mkdir -m 755 "$1" && echo "$1" >>"$ETC/made"
}

remove_made() {
  [ -f "$ETC/made" ] || return 0
  sed '1!G;h;$!d' "$ETC/made" | while read -r made; do rmdir "$made" 2>/dev/null; done
  rm -f "$ETC/made"
}

# ---------------------------------------------------------------------------------------------------------------------------------------------------------------------
# Taking everything away
# ---------------------------------------------------------------------------------------------------------------------------------------------------------------------

uninstall() {
  CONFIRMED='' PENDING='' EFFECTIVE=''
  converge || exit 65
  if rules_are_live; then
    complain "rules of xennet are still live; its program, hooks and declarations are kept"
    exit 65
  fi
  stop_guard
  clean_saved_firewall
  hooks_remove
  remove_made
  # The declarations go late and the program last, so that an interrupted removal can be finished.
  rm -rf "$ETC" "$RUN"
  rm -f "$PROGRAM"
  hooks_forget
}

# Whether RULES, as `converge` saw them last, hold a chain of ours; without its chain there is no rule and no jump.
rules_are_live() {
  # No here-document: some shells need a disk with room for one.
  printf '%s\n' "$RULES" | {
    table=''
    while read -r line; do
      case $line in '*'*) table=${line#?} ;; esac
      case $table$line in
        filter:XENNET-FORWARD\ * | filter:XENNET-INPUT\ *) exit 0 ;;
        mangle:XENNET-FORWARD\ *) exit 0 ;;
        nat:XENNET-PREROUTING\ * | nat:XENNET-POSTROUTING\ * | nat:XENNET-OUTPUT\ *) exit 0 ;;
      esac
    done
    exit 1
  }
}

# Other tools save the whole running rule set, ours included (firewall-port, `service iptables save`). Only lines of ours go; every other byte stays.
clean_saved_firewall() {
  [ -f "$SAVED_FIREWALL" ] && grep -q 'XENNET-' "$SAVED_FIREWALL" || return 0
  real=$(readlink -f "$SAVED_FIREWALL")
  cp -a "$real" "$real.xennet" &&
    sed -e '/^:XENNET-/d' -e '/^\(\[[0-9]*:[0-9]*\] \)\{0,1\}-A XENNET-/d' -e '/^\(\[[0-9]*:[0-9]*\] \)\{0,1\}-A .*-[jg] XENNET-[A-Z]* *$/d' "$real" >"$real.xennet" &&
    mv "$real.xennet" "$real"
}

# ---------------------------------------------------------------------------------------------------------------------------------------------------------------------
# Files, lock, messages
# ---------------------------------------------------------------------------------------------------------------------------------------------------------------------

# Takes the lock; what was remembered in another boot is forgotten (before systemd, /var/run outlives a boot).
open_files() {
  for try in 1 2 3 4 5; do
    mkdir -p "$RUN" || {
      # Without the lock nobody else is at work either.
      [ -d "$ETC" ] || uninstall
      refuse "STORE_FAILED cannot make $RUN"
    }
    exec 9>>"$RUN/lock"
    flock -w "$LOCK_WAIT" 9 || busy
    # A removal deletes the lock file while others wait for it: then it must be taken on the new one.
    # shellcheck disable=SC3013 # -ef is known to dash, bash and busybox
    [ ! "$RUN/lock" -ef /proc/self/fd/9 ] || break
    case $try in 5) busy ;; esac
  done
  read -r boot </proc/sys/kernel/random/boot_id
  if [ "$(first_word "$RUN/boot")" != "$boot" ]; then
    rm -f "$RUN/bridges" "$RUN/former" "$RUN/wanted" "$RUN/applied" "$RUN/refused"
    replace_file "$RUN/boot" "$boot"
  fi
}

first_word() {
  word=''
  if [ -f "$1" ]; then read -r word _ <"$1" || true; fi
  printf '%s' "$word"
}

replace_file() { # <path> <text> [durable]
  { printf '%s\n' "$2" >"$1.new"; } 2>/dev/null || { rm -f "$1.new"; return 1; }
  # Without this a power cut could keep the new name and lose the text. Old coreutils ignore the argument and write everything out.
  if [ "${3-}" = durable ]; then sync -f "$1.new" 2>/dev/null || sync; fi
  mv -f "$1.new" "$1"
}

replace_with() { # <path> <mode>, text on stdin
  cat >"$1.xennet" && chmod "$2" "$1.xennet" && mv -f "$1.xennet" "$1"
}

# What is there already is not written: a host whose disk is full must be able to go back.
store_text() { # <path>, text on stdin
  given=$(cat; echo .)
  if [ -f "$1" ] && [ "$(cat "$1"; echo .)" = "$given" ]; then return 0; fi
  # A shell that cannot open the file says so itself.
  { printf '%s' "${given%.}" >"$1.new"; } 2>/dev/null && mv -f "$1.new" "$1" && return 0
  rm -f "$1.new"
  return 1
}

unstored() { # <path>
  PROBLEM="cannot write $1" PROBLEM_CODE=STORE_FAILED
  complain "$PROBLEM"
  return 1
}

pending_busy() {
  echo "error PENDING $PENDING $(seconds_left)"
  exit 75
}

busy() {
  echo "error BUSY another run of xennet holds the lock"
  exit 75
}

refuse() {
  echo "error $1"
  exit 65
}

complain() {
  echo "xennet: $1" >&2
  if command -v logger >/dev/null; then logger -t xennet -p daemon.err -- "$1" 2>/dev/null 9>&-; fi
  return 0
}

main "$@"
exit
