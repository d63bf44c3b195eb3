# Transactions

check_transaction() {
  DECISIONS=$(parse_transaction check) || refuse HOST_PROGRAM_FAILED "awk failed (status $?) when it read the transaction; nothing was changed"
  case $DECISIONS in
    error\ * | *'
error '*)
      wrong=$(printf '%s\n' "$DECISIONS" | sed -n 's/^error //p' | sed -n 1p)
      refuse "${wrong%% *}" "${wrong#* }" ;;
    window\ *'
done') ;;
    *) refuse MALFORMED "the transaction cannot be read" ;;
  esac
}

# Builds generation <n> beside the confirmed one. Sets STAGED to yes when it differs and is live, as SNAPSHOT shows, waiting for its confirmation. Else UNDONE tells whether all of it was
# taken back, with UNDONE_CODE and UNDONE_TEXT. FAILED: tokens that failed alone; FAILURES: `<token> <code> <text>`, a line each.
stage_transaction() {
  STAGED=no FAILED='' FAILURES='' UNDONE=no
  decided put >/dev/null || decided drop >/dev/null || return 0
  next=$(next_generation) || abandon STORE_FAILED "cannot write $ETC/last"
  new=$ETC/generations/$next
  rm -rf "$new.new"
  mkdir -p "$new.new" || abandon STORE_FAILED "cannot make $new"
  copy_confirmed "$new.new"
  problem=$(parse_transaction write "$new.new" "$next") || problem="awk failed (status $?) when it wrote $new"
  [ -n "$problem" ] || problem=$(cut_short "$new.new")
  [ -z "$problem" ] || abandon STORE_FAILED "${problem#error STORE_FAILED }"
  for token in $(decided drop); do rm -f "$new.new/$token.fragment"; done
  [ -e "$ETC/off" ] || try_rules "$new.new"
  if same_generation "$new.new"; then rm -rf "$new.new"; return 0; fi
  go_pending "$next"
}

# Names a fragment of the transaction that did not get onto the disk whole.
cut_short() { # <generation's directory>
  for token in $(decided put); do
    if [ "$(sed -n '$p' "$1/$token.fragment" 2>/dev/null)" != end ]; then
      echo "$1/$token.fragment is cut short"
      return
    fi
  done
}

# Gives a transaction up. Where nothing was ever confirmed, nothing of ours stays.
abandon() { # <code> <text>
  end_pending
  if [ -z "$CONFIRMED" ]; then (uninstall) >/dev/null; else drop_generations; fi
  refuse "$1" "$2"
}

go_pending() {
  window=$(decided window)
  replace_file "$ETC/format" "$FORMAT" || abandon STORE_FAILED "cannot write $ETC/format"
  uptime_now
  DEADLINE=$((NOW + window))
  # On the disk before the generation has its name, where nothing else tells that it was never confirmed.
  durable=durable
  [ -z "$CONFIRMED" ] || durable=''
  replace_file "$ETC/pending" "$1 $BOOT $DEADLINE" $durable || abandon STORE_FAILED "cannot write $ETC/pending"
  mv "$new.new" "$new" || abandon STORE_FAILED "cannot name $new"
  start_guard "$window"
  # Whatever is declared: should the guard be killed, or the host reboot, nobody else would take the change back.
  hooks_current || hooks_install
  PENDING=$1 EFFECTIVE=$ETC/generations/$1
  # What is refused at once, what only the kernel refuses, and what the host does not keep: each has its turn.
  for _ in 1 2 3 4; do
    make_it_so || break
    if [ -z "$UNDOING" ]; then STAGED=yes; return; fi
    if same_generation "$EFFECTIVE"; then break; fi
  done
  if [ "$UNDONE" = no ] && ! same_generation "$EFFECTIVE"; then undo_all NOT_KEPT "the host does not keep what was set"; fi
  end_pending
  stop_guard
  read_generations
  drop_generations
  hooks_follow
}

# One turn towards the pending generation. UNDOING: tokens of the transaction that went back to what they were. False when all has to go back.
make_it_so() {
  UNDOING=''
  look_closely || { undo_all "$PROBLEM_CODE" "$PROBLEM"; return 1; }
  if [ -z "$UNDOING" ] && ! values_went_back; then undo_all "$PROBLEM_CODE" "$PROBLEM"; return 1; fi
}

undo_all() { UNDONE=yes UNDONE_CODE=$1 UNDONE_TEXT=$2; }

# Makes the host match and looks at it as the answer tells it, SNAPSHOT; an operation that it does not bear out has failed. Bridges come and go meanwhile, so what is lacking is looked for
# again before it counts. False (and PROBLEM) when nobody can tell.
look_closely() {
  for _ in 1 2 3; do
    converge || [ "$PROBLEM_CODE" = NOT_KEPT ] || return 1
    undo_failed "$REFUSALS"
    [ -z "$UNDOING" ] || return 0
    take_snapshot || return 1
    lacking=$(lacking_of_ours) || fail HOST_PROGRAM_FAILED "awk failed when it compared the transaction with the host" || return 1
    [ -n "$lacking" ] || return 0
  done
  undo_failed "$lacking"
}

# What of the transaction the host does not show, as FAILURES are written; what the host refused to set says why.
lacking_of_ours() {
  fragments_of "$EFFECTIVE"
  { printf '%s\n' "$transaction"; printf '%s\n' "$SNAPSHOT" | sed -n -e '/^missing /p' -e '/^live .*xennet-/p'; } |
    run_awk "$FRAGMENT_AWK$TRANSACTION_AWK" -v mode=verify -v skip=" $FAILED $(never_tried)" -v undone="$UNDONE" -v said="$SAID"
}

never_tried() { printf '%s\n' "$DECISIONS" | sed -n -e 's/^invalid \([^ ]*\).*/\1/p' -e 's/^taken \([^ ]*\).*/\1/p' | tr '\n' ' '; }

# A value of before that cannot be put back is a failure of the removal, unless it could not be before either.
values_went_back() {
  planned 'R ' || return 0
  stuck=$(plan_lines 'R ')
  stays=$EFFECTIVE
  EFFECTIVE=$(confirmed_dir)
  make_plan || PLAN=''
  EFFECTIVE=$stays
  stuck=$(printf '%s\n' "$stuck" | grep -v -x -F -e "$(plan_lines 'R ')") || return 0
  fail NOT_KEPT "a value of before cannot be put back: $(printf '%s\n' "$stuck" | sed -n 1p)${SAID:+ ($SAID)}"
}

try_rules() {
  EFFECTIVE=$1
  make_plan || abandon "$PROBLEM_CODE" "$PROBLEM"
  find_refused
  undo_failed "$REFUSALS"
  EFFECTIVE=$(confirmed_dir)
}

# Operations fail alone: what they would have replaced or removed, if anything, comes back. UNDOING: the tokens of those that had changed something.
undo_failed() { # <failures>
  UNDOING=''
  [ -n "$1" ] || return 0
  from=$(confirmed_dir)
  for token in $(printf '%s\n' "$1" | sed 's/ .*//'); do
    is_word "$token" "$FAILED" && continue
    is_operation "$token" || continue
    FAILED="$FAILED $token"
    FAILURES="$FAILURES$(printf '%s\n' "$1" | sed -n "s/^$token /&/p" | sed -n 1p)
"
    # What is confirmed stays, whatever fails.
    if [ "$EFFECTIVE" = "$from" ] || ! is_change "$token"; then continue; fi
    UNDOING="$UNDOING $token"
    rm -f "$EFFECTIVE/$token.fragment"
    if [ -n "$from" ] && is_regular "$from/$token.fragment"; then cp -p "$from/$token.fragment" "$EFFECTIVE/"; fi
  done
}

is_change() { printf '%s\n' "$DECISIONS" | grep -q -x -e "put $1" -e "drop $1"; }
is_operation() { printf '%s\n' "$DECISIONS" | grep -q -x -e "put $1" -e "drop $1" -e "same $1"; }

outcomes() {
  printf '%s\n' "$DECISIONS" | while read -r what token detail; do
    case $what in
      window | done) ;;
      invalid) echo "outcome $token error FRAGMENT_INVALID $detail" ;;
      taken) echo "outcome $token error $detail" ;;
      absent) echo "outcome $token absent" ;;
      *)
        if [ "$UNDONE" = yes ] && [ "$what" != same ]; then echo "outcome $token error $UNDONE_CODE $UNDONE_TEXT"
        elif is_word "$token" "$FAILED"; then echo "outcome $token error $(printf '%s' "$FAILURES" | sed -n "s/^$token //p" | sed -n 1p)"
        else echo "outcome $token ok"; fi ;;
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
  [ $# = 0 ] || cp -p "$@" "$into/" || abandon STORE_FAILED "cannot copy $from"
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
