# Files, lock, messages

# Takes the lock; what was remembered in another boot is forgotten (before systemd, /var/run outlives a boot).
open_files() {
  for try in 1 2 3 4 5; do
    mkdir -p "$RUN" || {
      # Without the lock nobody else is at work either.
      [ -d "$ETC" ] || uninstall
      refuse "STORE_FAILED cannot make $RUN"
    }
    exec 9>>"$RUN/lock"
    flock -w "$LOCK_WAIT" 9 || busy
    # A removal deletes the lock file while others wait for it: then it must be taken on the new one.
    # shellcheck disable=SC3013 # -ef is known to dash, bash and busybox
    [ ! "$RUN/lock" -ef /proc/self/fd/9 ] || break
    case $try in 5) busy ;; esac
  done
  read -r boot </proc/sys/kernel/random/boot_id
  if [ "$(first_word "$RUN/boot")" != "$boot" ]; then
    rm -f "$RUN/bridges" "$RUN/former" "$RUN/wanted" "$RUN/applied" "$RUN/refused"
    replace_file "$RUN/boot" "$boot"
  fi
}

first_word() {
  word=''
  if [ -f "$1" ]; then read -r word _ <"$1" || true; fi
  printf '%s' "$word"
}

replace_file() { # <path> <text> [durable]
  { printf '%s\n' "$2" >"$1.new"; } 2>/dev/null || { rm -f "$1.new"; return 1; }
  # Without this a power cut could keep the new name and lose the text. Old coreutils ignore the argument and write everything out.
  if [ "${3-}" = durable ]; then sync -f "$1.new" 2>/dev/null || sync; fi
  mv -f "$1.new" "$1"
}

replace_with() { # <path> <mode>, text on stdin
  cat >"$1.xennet" && chmod "$2" "$1.xennet" && ! in_the_way "$1" && {
    # Into a directory that a link leads to it would be moved.
    [ ! -L "$1" ] || rm -f "$1"
    mv -f "$1.xennet" "$1"
  } && return
  rm -f "$1.xennet"
  return 1
}

# What is there already is not written: a host whose disk is full must be able to go back.
store_text() { # <path>, text on stdin
  given=$(cat; echo .)
  if [ -f "$1" ] && [ "$(cat "$1"; echo .)" = "$given" ]; then return 0; fi
  # A shell that cannot open the file says so itself.
  { printf '%s' "${given%.}" >"$1.new"; } 2>/dev/null && mv -f "$1.new" "$1" && return 0
  rm -f "$1.new"
  return 1
}

unstored() { # <path>
  PROBLEM="cannot write $1" PROBLEM_CODE=STORE_FAILED
  complain "$PROBLEM"
  return 1
}

pending_busy() {
  echo "error PENDING $PENDING $(seconds_left)"
  exit 75
}

busy() {
  echo "error BUSY another run of xennet holds the lock"
  exit 75
}

refuse() {
  echo "error $1"
  exit 65
}

complain() {
  echo "xennet: $1" >&2
  if command -v logger >/dev/null; then logger -t xennet -p daemon.err -- "$1" 2>/dev/null 9>&-; fi
  return 0
}
