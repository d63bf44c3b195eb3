# Transactions

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
  end_pending
  if [ -z "$CONFIRMED" ]; then uninstall; else drop_generations; fi
  exit 65
}

go_pending() {
  window=$(decided window)
  replace_file "$ETC/format" "$FORMAT" || abandon "STORE_FAILED cannot write $ETC/format"
  uptime_now
  DEADLINE=$((NOW + window))
  # On the disk before the generation has its name, where nothing else tells that it was never confirmed.
  durable=durable
  [ -z "$CONFIRMED" ] || durable=''
  replace_file "$ETC/pending" "$1 $BOOT $DEADLINE" $durable || abandon "STORE_FAILED cannot write $ETC/pending"
  mv "$new.new" "$new" || abandon "STORE_FAILED cannot name $new"
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
  end_pending
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
