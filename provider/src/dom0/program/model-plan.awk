# Plan: nothing printed means nothing to do
#
# B <uuid> <name> <ifindex> <highest>   the bridge cache, whole
# K <former record>                     records to keep, when they change; N: records to add before anything is set
# G <interface> <ifindex>               one that gets back the IPv6 that our default kept from it: only once
# R, A <kind> <interface> <arg> <value> put a former value back, set a value
# P <token|-> <line>                    input of iptables-restore; D1, D2: the two inputs that take everything away; M1, M2: those that take the mangle chain away
# W <wanted line>                       what P stands for
function plan(  i, id) {
  for (i = 1; fresh && i <= network_count; i++) if (has_bridge_record(networks[i])) print "B " networks[i], cache_name[networks[i]], cache_index[networks[i]], cache_highest[networks[i]]
  wanted_begin()
  stored_wanted = anew ? "" : whole_file(run "/wanted")
  for (i = 1; i <= fragments; i++) if (state[order[i]] == "active" && refused_now(order[i])) state[order[i]] = "waiting"
  needs_begin()
  plan_restore()
  if (!fragments || off) plan_nothing()
  else if (wanted_text != stored_wanted || own_text() != whole_file(run "/applied") || jumps_text("filter") jumps_text("nat") jumps_text("mangle") != "") plan_rules()
  else if (mangle_is_idle()) take_away("mangle", "M")
  else plan_settings()
}
# A record goes only after its value was read back; what cannot be read any more, on an interface that has gone, has nothing left to be put back.
function plan_restore(  i, part, gone, all, turn) {
  gone = all = 0
  for (i = 1; i <= formers; i++) {
    split(former[i], part, " ")
    if ((part[1], part[2], part[3], part[4]) in needed) keep[i] = 1
    else if (is_restorable(part) && setting_now(part[1], part[2], part[4]) != part[5]) {
      keep[i] = 1
      if (part[1] == "forwarding" && part[2] == "all") all = 1
    }
    else gone = 1
  }
  # Before the default, which their record goes with.
  restore_ipv6_of_new()
  if (all) print "R forwarding all - " has_former["forwarding", "all", 0, "-"]
  # What lets packets in goes first.
  for (turn = 3; turn >= 1; turn--) for (i = 1; i <= formers; i++) {
    split(former[i], part, " ")
    if (turn_of(part[1]) != turn) continue
    if (((part[1], part[2], part[3], part[4]) in needed) || part[2] == "all" || !is_restorable(part)) continue
    # Whatever it is now, the write for all of them takes it away.
    if (all && part[1] == "forwarding") keep[i] = 1
    if ((all && part[1] == "forwarding") || setting_now(part[1], part[2], part[4]) != part[5]) print "R " part[1], part[2], part[4], part[5]
  }
  if (!gone) return
  print "K"
  for (i = 1; i <= formers; i++) if (i in keep) print "K " former[i]
}
function is_restorable(part) { return (is_interface(part[2]) || part[2] == "default" || part[2] == "all") && (part[2] in ifindex) && ifindex[part[2]] == part[3] }
# What keeps packets out, what brings them to this host, what lets them through it.
function turn_of(kind) { return kind == "forwarding" ? 3 : kind ~ /^(link|address|route)$/ ? 2 : 1 }
function plan_settings(  i, now, key, name, turn) {
  for (name in ifindex) if (record_forwarding) {
    now = setting_now("forwarding", name, "-")
    key = "forwarding " name " " ifindex[name] " -"
    if (now != "" && !(("forwarding", name, ifindex[name], "-") in has_former)) { noted[key] = 1; print "N " key, now }
  }
  # What lets packets in comes last, and after the rules.
  for (turn = 1; turn <= 3; turn++) for (i = 1; i <= needs; i++) {
    if (turn_of(need_kind[i]) != turn) continue
    now = setting_now(need_kind[i], need_if[i], need_arg[i])
    key = need_kind[i] " " need_if[i] " " ifindex[need_if[i]] " " need_arg[i]
    # A value that cannot be read is that of an interface on its way out. A route comes and goes with its address.
    if (now == "") continue
    if (need_kind[i] != "route" && !((need_kind[i], need_if[i], ifindex[need_if[i]], need_arg[i]) in has_former) && !(key in noted)) { noted[key] = 1; print "N " key, now }
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
  t = chain_table[k]; b = base[k]; n = count_of(t, b)
  mine = first = anchor = before = 0
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
  for (i = 1; i <= count_of(t, b); i++) if (saved[t, b, i] ~ ("^-A " b " -j (ACCEPT|DROP|REJECT)( --reject-with [a-z-]+)?$")) return i
  return count_of(t, b) + 1
}
# Two inputs, because 1.3.5 cannot delete a chain in the commit that deletes the jump to it. nat first: no address may be rewritten for a chain that no longer accepts.
function plan_nothing() { take_away("nat", "D"); take_away("filter", "D"); take_away("mangle", "D") }
function take_away(t, mark,  k, i, line, some) {
  some = 0
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
