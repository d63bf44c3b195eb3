# Hooks: what calls `xennet apply` at boot, after the firewall was loaded, when an interface appears, and every minute

# The one place that chooses how hooks are made.
hooks_kind() { if [ -d /run/systemd/system ]; then echo systemd; else echo sysv; fi; }
hooks_install() { case $(hooks_kind) in sysv) hooks_install_sysv ;; systemd) hooks_install_systemd ;; esac; }
hooks_remove() { case $(hooks_kind) in sysv) hooks_remove_sysv ;; systemd) hooks_remove_systemd ;; esac; }
hooks_files() { case $(hooks_kind) in sysv) hooks_files_sysv ;; systemd) hooks_files_systemd ;; esac; }
# Whether they are there as this program writes them; an older one may have written others, or some more.
hooks_current() { case $(hooks_kind) in sysv) hooks_current_sysv ;; systemd) hooks_current_systemd ;; esac; }
# What of them is not there, a line each. A hook that an older program wrote is none of it: it works, and the next transaction writes it anew.
hooks_lacking() {
  if [ -z "$CONFIRMED" ] || [ -n "$PENDING" ] || ! persistent "$EFFECTIVE"; then return 0; fi
  hooks_idle
  if hooks_current; then return 0; fi
  lost=''
  for file in $(hooks_files); do
    # A link whose file is missing is there: the file is what has to be told.
    if [ ! -f "$file" ] && [ ! -L "$file" ]; then echo "hook $file"; lost=yes; fi
  done
  if [ -z "$lost" ] && [ "$program" = "$VERSION" ]; then echo "hooks as they were written"; fi
}
# Why nobody calls those that are there, a line each.
hooks_idle() { case $(hooks_kind) in sysv) cron_off ;; systemd) ;; esac; }
hooks_any() { for file in $(hooks_files); do if [ -f "$file" ] || [ -L "$file" ]; then return 0; fi; done; return 1; }
# The very end of a removal: it may run in one of the units that it ends.
hooks_forget() { case $(hooks_kind) in sysv) ;; systemd) hooks_forget_systemd ;; esac; }

# Whether a directory stands where a hook belongs: nothing of ours, so it stays.
in_the_way() { # <path>
  if [ -L "$1" ] || [ ! -d "$1" ]; then return 1; fi
  complain "$1 is a directory, which xennet neither replaces nor removes"
}

# What stays is added to LEFT.
remove_hook() { # <path>
  # Of a run that was ended while it wrote it.
  rm -f "$1.xennet"
  if [ ! -e "$1" ] && [ ! -L "$1" ]; then return 0; fi
  if ! in_the_way "$1"; then
    if rm -f "$1" 2>/dev/null; then return 0; fi
    complain "cannot remove $1"
  fi
  LEFT="$LEFT $1"
}

# Whether the host is to put things back by itself: unless every forwarding declines.
persistent() { # <generation's directory>
  fragments_of "$1"
  # shellcheck disable=SC2016 # awk text
  [ "$(run_awk 'BEGIN {
    some = all = 0
    for (i = 1; i < ARGC; i++) {
      forwarding = declines = 0
      while ((getline line < ARGV[i]) > 0) { if (line == "kind host-forwarding") forwarding = 1; else if (line == "setting persistence none") declines = 1 }
      close(ARGV[i])
      if (forwarding) { if (declines) some = 1; else all = 1 }
    }
    if (some && !all) print "declined"
    exit
  }')" != declined ]
}

# Brings the hooks in line with what is confirmed now.
hooks_follow() {
  if [ -n "$PENDING" ] || [ -z "$CONFIRMED" ]; then return 0; fi
  if persistent "$(confirmed_dir)"; then hooks_current || hooks_install
  elif hooks_any; then hooks_remove; remove_made; hooks_forget; fi
}
