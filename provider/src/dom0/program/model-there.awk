# What is there

function save_line(line,  chain, part, counters, n) {
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
  n = count_of(saved_table, chain) + 1
  saved_count[saved_table, chain] = n; saved[saved_table, chain, n] = line
  saved_all++; all_table[saved_all] = saved_table; all_chain[saved_all] = chain; all_line[saved_all] = line
  if (counters != "") hits[saved_table, line] = hits_of(saved_table, line) + substr(counters, 1, index(counters, ":") - 1)
}
function count_of(t, chain) { return ((t, chain) in saved_count) ? saved_count[t, chain] : 0 }
function hits_of(t, line) { return ((t, line) in hits) ? hits[t, line] : 0 }
function cache_line() { if (NF == 4) { cache_name[$1] = $2; cache_index[$1] = $3; cache_highest[$1] = $4 } }
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
function sysctl(path,  value, got) {
  got = (getline value < path)
  if (got >= 0) close(path)
  return got > 0 ? value : ""
}
# Our chains, their rules and the jumps to them, in an order that does not depend on who else has chains.
function own_text(  k, t, c, i, content) {
  content = ""
  for (k = 1; k <= chain_count; k++) {
    t = chain_table[k]; c = "XENNET-" base[k]
    if ((t, c) in declared) content = content t " :" c "\n"
    for (i = 1; i <= count_of(t, c); i++) content = content t " " saved[t, c, i] "\n"
    for (i = 1; i <= count_of(t, base[k]); i++)
      if (saved[t, base[k], i] == jump_line(k)) content = content t " " saved[t, base[k], i] "\n"
  }
  return content
}
function jump_line(k) { return "-A " base[k] " -j XENNET-" base[k] }
# A rule that refers to an own chain and is not the one jump we keep.
function is_reference(line) { return line ~ /-[jg] XENNET-(FORWARD|INPUT|PREROUTING|POSTROUTING|OUTPUT)$/ }
