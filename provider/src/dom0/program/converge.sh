# Making the host match

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
  by_test=$REFUSED
  restore "$(payload "$REFUSED")" || commit_one_by_one || {
    PROBLEM="iptables-restore failed: $RESTORE_ERROR"
    complain "$PROBLEM"
    return 1
  }
  CHANGED=yes
  for token in $REFUSED; do if is_word "$token" "$by_test"; then echo "$token"; else echo "$token commit"; fi; done | store_text "$RUN/refused" || unstored "$RUN/refused" || return 1
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
