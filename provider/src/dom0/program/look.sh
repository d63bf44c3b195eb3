# Looking at the host

# Sets ADDRESSES, RULES and BRIDGES. Without `-t`, iptables-save reads only tables that are loaded: it loads none, legacy or nft.
load_host() { # [-c]
  ADDRESSES=$(ip addr) || fail HOST_PROGRAM_FAILED 'ip addr failed' || return 1
  saved=0
  RULES=$(iptables-save ${1+"$1"} 2>/dev/null) || saved=$?
  if [ $saved != 0 ]; then
    # 1.3.5 fails, with 1, where no table was ever loaded.
    if [ $saved != 1 ] || [ -e /proc/net/ip_tables_names ]; then fail HOST_PROGRAM_FAILED 'iptables-save failed'; return 1; fi
    RULES=''
  fi
  BRIDGES=$UNKNOWN_BRIDGES
  known=$(records bridges)
  if [ -n "$known" ]; then BRIDGES="$known
$UNKNOWN_BRIDGES"; fi
}

# Sets ANSWER to the model's; bridges that nobody has named yet are asked for on the way. False (and PROBLEM) when it did not come to its end.
consult() { # <mode>
  consult_once "$1" || return 1
  case $ANSWER in
    resolve\ *)
      ask_bridges
      consult_once "$1" || return 1 ;;
  esac
}

consult_once() { # <mode>
  ended=0
  ANSWER=$(model "$1") || ended=$?
  case $ended:$ANSWER in
    0:done) ANSWER='' ;;
    0:*'
done') ANSWER=${ANSWER%?done} ;;
    *)
      fail HOST_PROGRAM_FAILED "awk failed (status $ended) in mode $1" ;;
  esac
}

model() { # <mode>
  off=''
  [ ! -e "$ETC/off" ] || off=1
  fragments_of "$EFFECTIVE"
  { printf '@@ip\n%s\n@@bridges\n%s\n@@former\n' "$ADDRESSES" "$BRIDGES"
    records former
    printf '@@save\n%s\n' "$RULES"
    if [ "$1" = snapshot ]; then
      echo @@route; ip -4 route show
      echo @@hooks; hooks_lacking
      echo @@listen; if command -v ss >/dev/null; then ss -lntu; else netstat -lntu; fi
    fi
  } | run_awk "$FRAGMENT_AWK$MODEL_AWK" -v mode="$1" -v off="$off" -v run="$RUN" -v anew="${ANEW-}" -v pending="$PENDING"
}

fragments_of() { # <directory or nothing>: FRAGMENTS_DIR for run_awk
  FRAGMENTS_DIR=$1
}

run_awk() { # <program> <options…>; the fragment files become its arguments
  program=$1
  shift
  set -- "$@" -v inventory_file="$INVENTORY" -v irregular="$(irregular_fragments)" "$program"
  if [ -n "$FRAGMENTS_DIR" ]; then
    for fragment in "$FRAGMENTS_DIR"/*.fragment; do
      if is_regular "$fragment"; then set -- "$@" "$fragment"; fi
    done
  fi
  awk "$@"
}

# Tokens whose file is a link, a directory or the like: nothing to be read.
irregular_fragments() {
  [ -n "$FRAGMENTS_DIR" ] || return 0
  for fragment in "$FRAGMENTS_DIR"/*.fragment; do
    if { [ -e "$fragment" ] || [ -L "$fragment" ]; } && ! is_regular "$fragment" && has_token "$fragment"; then printf '%s ' "$name"; fi
  done
}
