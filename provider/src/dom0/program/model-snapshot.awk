# Snapshot

function snapshot(  i, j, id, part, n, name) {
  wanted_begin()
  stored_wanted = whole_file(run "/wanted")
  for (i = 1; i <= fragments; i++) if (state[order[i]] == "active" && refused_now(order[i])) state[order[i]] = "waiting"
  print "external " (external == "" ? "-" : external), (external_address == "" ? "-" : external_address), external_mode()
  for (i = 1; i <= network_count; i++) print "bridge " networks[i], (bridge_name(networks[i]) == "" ? "-" : bridge_name(networks[i])), ((bridge_name(networks[i]) in ifindex) ? "present" : "absent")
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
  find_lost_hooks()
  find_foreign()
  for (i = 1; i <= address_count; i++) print "address " address_if[i], address[i]
  printf "%s%s", routes, listens
  for (name in ifindex) if (may_route(name) && routed_before(name)) print "routed " name
  print "end"
}
function token_in(line,  at) {
  at = match(line, /--comment "?xennet-[0-9a-f]+/)
  if (!at) return ""
  line = substr(line, RSTART, RLENGTH); sub(/.*xennet-/, "", line)
  return line
}
# The rule that went in as the n-th of a fragment in a chain came out of iptables-save as the n-th of the fragment in that chain: this pairs both spellings.
function find_missing(  n, i, part, chain, t, key, line, k) {
  n = split(whole_file(run "/applied"), part, "\n")
  for (i = 1; i < n; i++) {
    t = part[i]; sub(/ .*/, "", t); line = substr(part[i], length(t) + 2)
    if (line !~ /^-A XENNET-/) continue
    split(line, chain, " ")
    key = token_in(line) " " t " " chain[2]
    applied_line[key, next_of(applied_count, key)] = line
    known_own[t, line] = 1
  }
  for (k = 1; k <= chain_count; k++) for (i = 1; i <= count_of(chain_table[k], "XENNET-" base[k]); i++) next_of(present, chain_table[k] SUBSEP saved[chain_table[k], "XENNET-" base[k], i])
  for (i = 1; i <= wanted_count; i++) {
    split(wanted[i], chain, " ")
    key = wanted_token[i] " " wanted_table[i] " " chain[2]
    line = applied_as(key, next_of(used, key))
    if (wanted_text != stored_wanted || !is_present(wanted_table[i], line)) lacks(wanted_id[i], "rule " wanted_table[i] " " wanted[i])
    k = own_chain[wanted_table[i], chain[2]]
    if (jump_text(k) != "" && !((wanted_token[i], k) in jump_said)) { jump_said[wanted_token[i], k] = 1; lacks(wanted_id[i], "jump " chain[2]) }
  }
  needs_begin()
  for (i = 1; i <= needs; i++) if (setting_now(need_kind[i], need_if[i], need_arg[i]) != need_value[i])
    lacks(need_id[i], need_kind[i] (need_kind[i] ~ /^(address|route)$/ ? " " before_comma(need_arg[i]) : need_kind[i] ~ /^(arp|ipv6)$/ && need_if[i] != "default" ? "" : " " need_if[i]))
}
# Counts a key up: 1 at first.
function next_of(counts, key) { return counts[key] = ((key in counts) ? counts[key] : 0) + 1 }
function applied_as(key, n) { return ((key, n) in applied_line) ? applied_line[key, n] : "" }
# Takes it off the list: a line that is wanted twice has to be there twice.
function is_present(t, line) { return line != "" && ((t, line) in present) && present[t, line]-- > 0 }
function before_comma(what) { sub(/,.*/, "", what); return what }
# All forwardings of the host share them; one that declines them misses none.
function find_lost_hooks(  i, j, id, declines) {
  for (i = 1; i <= fragments; i++) {
    id = order[i]; declines = 0
    for (j = 1; j <= settings[id]; j++) if (setting[id, j] == "persistence none") declines = 1
    if (field[id, "kind"] == "host-forwarding" && !declines) for (j = 1; j <= lost_hooks; j++) lacks(id, lost_hook[j])
  }
}
function lacks(id, what) { missing_count++; missing_id[missing_count] = id; missing[missing_count] = what; if (mode == "snapshot") print "missing " field[id, "token"], what }
function find_foreign(  k, t, i, line, last) {
  for (k = 1; k <= chain_count; k++) {
    t = chain_table[k]; last = place_of_jump(k)
    for (i = 1; i <= count_of(t, base[k]); i++) {
      line = saved[t, base[k], i]
      if (line == jump_line(k)) continue
      if (i < last) { foreign(t, line); continue }
    }
    for (i = 1; i <= count_of(t, "XENNET-" base[k]); i++) if (!((t, saved[t, "XENNET-" base[k], i]) in known_own)) foreign(t, saved[t, "XENNET-" base[k], i])
  }
  for (i = 1; i <= saved_all; i++) if (all_table[i] == "nat" && all_chain[i] != "OUTPUT" && !(("nat", all_chain[i]) in own_chain) && all_line[i] ~ /-j (DNAT|REDIRECT)/) foreign("nat", all_line[i])
}
function place_of_jump(k,  i, t) {
  t = chain_table[k]
  for (i = 1; i <= count_of(t, base[k]); i++) {
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
