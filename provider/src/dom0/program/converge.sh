# Making the host match

# Plans and acts until nothing is left to do. Sets CHANGED; false (and PROBLEM, PROBLEM_CODE) when the host cannot be brought there. What a tool says on the way decides nothing: bridges
# come and go at any time, so every pass looks anew, and only what still is to be done after the last one was not done.
converge() {
  CHANGED=no PROBLEM='' PROBLEM_CODE='' REFUSED='' REFUSALS='' SAID=''
  for pass in 1 2 3 4 5 6; do
    make_plan || return 1
    [ -n "$PLAN" ] || return 0
    case $pass in 6) break ;; esac
    act || return 1
  done
  fail NOT_KEPT "the host does not keep what was set: $(printf '%s\n' "$PLAN" | sed -n 1p)${SAID:+ ($SAID)}"
}

act() {
  remember_bridges
  if planned K; then
    # The rules matter more: they go on, and the host is asked for this again.
    plan_lines 'K ' | keep_records former || complain "cannot write $ETC/former"
  fi
  # After the records that go, or they would take the new ones along.
  remember_former || return 1
  if planned R; then CHANGED=yes; set_values R; fi
  if planned G; then remember_given; fi
  if planned P; then install_rules || return 1; fi
  if planned M1; then remove_in_two M || return 1; note_applied || return 1; fi
  if planned D1; then remove_rules || return 1; fi
  if planned A; then CHANGED=yes; set_values A; fi
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
  if planned 'B '; then plan_lines 'B ' | keep_records bridges || complain "cannot write $ETC/bridges"; fi
}

# Before the first change of a value its former one is on record, or it could not be put back after a crash.
remember_former() {
  planned 'N ' || return 0
  { records former; plan_lines 'N '; } | keep_records former || fail STORE_FAILED "cannot write $ETC/former"
}

# After they were set: one that is given twice is no harm.
remember_given() {
  { cat "$RUN/ipv6-given" 2>/dev/null; plan_lines 'G '; } | store_text "$RUN/ipv6-given" || complain "cannot write $RUN/ipv6-given"
}

# Not behind a pipe: that would be another process, which a caller's end could take away unheard. Fills SAID with what went wrong; whether it did, the next look tells.
set_values() { # <mark>
  newline_only=$IFS
  IFS='
'
  for line in $(plan_lines "$1 "); do
    IFS=$newline_only
    # shellcheck disable=SC2086 # its words
    set -- $line
    set_value "$@" || true
  done
  IFS=$newline_only
}

set_value() { # <kind> <interface> <arg> <value>
  case $1:$4 in
    address:present) said=$(ip addr add "$3" brd + dev "$2" 2>&1) ;;
    address:*) said=$(ip addr del "$3" dev "$2" 2>&1) ;;
    arp:*) said=$(ip link set dev "$2" arp "$4" 2>&1) ;;
    link:*) said=$(ip link set dev "$2" "$4" 2>&1) ;;
    route:present) said=$(ip route add "${3%,*}" dev "$2" proto kernel scope link src "${3#*,}" 2>&1) ;;
    ipv6:*) write_value "/proc/sys/net/ipv6/conf/$2/disable_ipv6" "$4" ;;
    *) write_value "/proc/sys/net/ipv4/conf/$2/$1" "$4" ;;
  esac && return 0
  SAID="cannot set $1 of $2 to $4: $(printf '%s\n' "${said:-it cannot be written}" | sed -n 1p | tr -d '\000-\037')"
  return 1
}

write_value() { # <path> <value>
  said=''
  { echo "$2" >"$1"; } 2>/dev/null
}

install_rules() {
  find_refused
  by_test=$REFUSED
  restore "$(payload "$REFUSED")" || commit_one_by_one || { restore_failed; return; }
  CHANGED=yes
  for token in $REFUSED; do if is_word "$token" "$by_test"; then echo "$token"; else echo "$token commit"; fi; done | store_text "$RUN/refused" || { unstored "$RUN/refused"; return; }
  plan_lines 'W ' | store_text "$RUN/wanted" || { unstored "$RUN/wanted"; return; }
  note_applied
}

restore_failed() { fail RESTORE_FAILED "iptables-restore failed: ${RESTORE_ERROR:-it says nothing}"; }

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
    restore "$(plan_lines "$1$part ")" || { restore_failed; return; }
  done
  CHANGED=yes
}
