# Status, for people

function status(  i, j, id, r, line, urn) {
  wanted_begin()
  stored_wanted = whole_file(run "/wanted")
  for (i = 1; i <= fragments; i++) if (state[order[i]] == "active" && refused_now(order[i])) { state[order[i]] = "waiting"; waits_for[order[i]] = "rules that iptables accepts (xennet apply says why)" }
  find_missing()
  if (!fragments) print "Nothing is declared."
  for (i = 1; i <= fragments; i++) {
    id = order[i]
    urn = value_of(id, "owner")
    print ""
    say(field[id, "kind"] " " value_of(id, "name") ": " (((id, "enabled") in field) ? "disabled" : misses(id) ? state[id] ", but not whole" : state[id]) (state[id] == "waiting" ? " for " waits_for[id] : "") (pending != "" && value_of(id, "serial") == pending ? ", pending" : ""))
    say("  declared by  " declarer(urn) urn)
    say("  token        " field[id, "token"])
    say("  network      " field[id, "network"] " (bridge " (bridge_of[id] == "" ? "not known yet" : bridge_of[id] ((bridge_of[id] in ifindex) ? "" : ", not there")) ")")
    if ((id, "description") in field) say("  description  " field[id, "description"])
    for (j = 1; j <= claims[id]; j++) say("  port         " claim[id, j])
    for (j = 1; j <= settings[id]; j++) say("  setting      " setting[id, j])
    for (j = 1; j <= missing_count; j++) if (missing_id[j] == id) say("  MISSING      " missing[j])
    say_shadows(i)
    split("", taken)
    if (rules[id]) say("      HITS  RULE")
    for (r = 1; r <= rules[id]; r++) {
      line = saved_form(id, r)
      say("  " (line == "" ? "       -" : sprintf("%8d", hits_of(table_of[id, r], line))) "  " table_of[id, r] " " resolved[id, r])
    }
  }
  for (i = 1; i <= broken_count; i++) { print ""; say("DAMAGED " broken[i]) }
  say_foreign()
}
function misses(id,  i) { for (i = 1; i <= missing_count; i++) if (missing_id[i] == id) return 1; return 0 }
# urn:pulumi:<stack>::<project>::…
function declarer(urn,  part) {
  if (split(urn, part, "::") < 2 || part[1] !~ /^urn:pulumi:./) return ""
  return "stack " substr(part[1], 12) " of project " part[2] ", "
}
# Two fragments may hold the same port for a while: the one that comes first in the chain has it.
function say_shadows(i,  r, j, q, what) {
  for (r = 1; r <= rules[order[i]]; r++) {
    what = matched_by(order[i], r)
    for (j = 1; j < i; j++) for (q = 1; what != "" && q <= rules[order[j]]; q++)
      if (state[order[j]] == "active" && matched_by(order[j], q) == what) { say("  SHADOWED     by " value_of(order[j], "name") ": " what); what = "" }
  }
}
# What a rule that rewrites a target matches.
function matched_by(id, r,  what) {
  what = resolved[id, r]
  if (what !~ /^-A XENNET-PREROUTING .*-j DNAT/) return ""
  sub(/^-A XENNET-PREROUTING /, "", what); sub(/ -m comment .*/, "", what)
  return what
}
function say_foreign(  i) {
  find_foreign()
  if (!foreign_count || off) return
  print ""; print "Rules of others that come before ours, or rewrite targets themselves; a packet that they take never meets ours:"
  for (i = 1; i <= foreign_count; i++) say("  " foreign_rule[i])
}
function saved_form(id, r,  chain, key) {
  split(rule[id, r], chain, " ")
  key = field[id, "token"] " " table_of[id, r] " " chain[2]
  return applied_as(key, next_of(taken, key))
}
# Names, descriptions and comments of rules are texts of others.
function say(line) { print visible(line) }
