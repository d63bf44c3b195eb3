# Rules, by iptables-restore

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

# Rules that iptables refused may have lost the cause by now. Asked by a test only, as a reload starts all counters anew; what passed the test once and failed the commit waits for a change.
retry_refused() {
  [ -s "$RUN/refused" ] || return 0
  ANEW=yes
  make_plan || true
  ANEW=''
  for token in $(planned_tokens); do
    grep -q -x "$token" "$RUN/refused" || continue
    if restore "$(payload_of "$token")" --test; then rm -f "$RUN/wanted"; return; fi
  done
}

refuse_token() {
  REFUSED="$REFUSED $1"
  REFUSALS="$REFUSALS$1 RULE_REFUSED ${RESTORE_ERROR:-iptables-restore does not say why}
"
  complain "iptables refuses the rules of $1: $RESTORE_ERROR"
}

planned_tokens() { printf '%s\n' "$PLAN" | awk '$1 == "P" && $2 != "-" && !($2 in seen) { seen[$2] = 1; print $2 }'; }

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
      # All that 1.3.5 says when another writer came between, and when the kernel refuses.
      1:*' failed') if [ -n "$WAIT" ] || [ $tries -le 0 ]; then return 1; fi ;;
      *) return 1 ;;
    esac
  done
}

wait_option() {
  [ -z "${WAIT_KNOWN-}" ] || return 0
  WAIT_KNOWN=yes WAIT=''
  if iptables-restore --help 2>&1 </dev/null | grep -q -e '--wait'; then WAIT=--wait=10; fi
}
