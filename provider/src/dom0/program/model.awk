# Model: what is declared, what is there, what is to be done. Modes: plan, own, snapshot, status

BEGIN {
  chains_begin()
  arguments_begin()
  interfaces_begin()
  section = saved_table = routes = listens = ""
  saved_all = lost_hooks = 0
  fragments = broken_count = formers = network_count = fresh = 0
  bridges_told = told_highest = 0
  wanted_count = needs = record_forwarding = missing_count = foreign_count = 0
}
/^@@/ { section = substr($0, 3); next }
section == "ip" { ip_line(); next }
section == "save" { save_line($0); next }
section == "former" { former_line(); next }
section == "bridges" { cache_line(); next }
section == "route" { route_line(); next }
section == "hooks" { lost_hook[++lost_hooks] = $0; next }
section == "listen" { listen_line(); next }
END {
  if (mode == "own") printf "%s", own_text()
  else declared_model()
  # The shell refuses an answer without this line: what a killed awk leaves must never look like a host with nothing to do.
  print "done"
}
function declared_model() {
  load_fragments()
  resolve_external()
  if (!resolve_bridges()) return
  other_bridges_begin()
  resolve_fragments()
  if (mode == "plan") plan()
  else if (mode == "snapshot") snapshot()
  else status()
}
