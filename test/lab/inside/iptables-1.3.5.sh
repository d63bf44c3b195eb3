#!/bin/sh
# iptables, iptables-save and iptables-restore as version 1.3.5 has them, over today's legacy back end: it refuses what
# 1.3.5 lacks, with 1.3.5's status, and prints rules in 1.3.5's spelling. Which of the three it is, its name says.
PATH=/usr/sbin:/sbin:/usr/bin:/bin LC_ALL=C
export PATH LC_ALL
# By name where it is there: the host's own awk may be one that a test watches.
AWK=$(command -v mawk || echo awk)
tool=${0##*/}

main() {
  case $tool in
    iptables) command_line "$@" ;;
    iptables-save) save "$@" ;;
    iptables-restore) restore "$@" ;;
    *) echo "$tool: not one of the three tools" >&2; exit 2 ;;
  esac
}

command_line() {
  case ${1-} in -V | --version) echo "iptables v1.3.5"; return ;; esac
  line=''
  for word; do line="$line \"$word\""; done
  refused=$(printf '%s\n' "$line" | "$AWK" "$CHECK" mode=command | sed -n 's/^@error [0-9]* //p')
  [ -z "$refused" ] || fail 2 "$refused"
  # `-s ! x` of old is `! -s x` of today.
  left=$#
  while [ "$left" -gt 0 ]; do
    word=$1
    shift
    left=$((left - 1))
    case "$word ${1-} ${2-}" in
      -*' ! -'*) ;;
      -*' ! '*) shift; left=$((left - 1)); set -- "$@" ! ;;
    esac
    set -- "$@" "$word"
  done
  exec iptables-legacy "$@"
}

save() {
  only=''
  for word; do
    case $word in
      -b | --binary | -c | --counters) ;;
      -t | --table | --table=*) only=yes ;;
      -*) echo "iptables-save: unrecognized option \`$word'" >&2; exit 1 ;;
    esac
  done
  # No table was ever loaded: 1.3.5 takes that for a failure.
  [ -n "$only" ] || [ -e /proc/net/ip_tables_names ] || exit 1
  saved=$(iptables-legacy-save "$@") || exit
  [ -z "$saved" ] || printf '%s\n' "$saved" | "$AWK" "$SPELL"
}

restore() {
  file=''
  for word; do
    case $word in
      -h | --help) usage ;;
      -b | --binary | -c | --counters | -v | --verbose | -t | --test | -n | --noflush) ;;
      -*) echo "iptables-restore: unrecognized option \`$word'" >&2; exit 1 ;;
      *) file=$word ;;
    esac
  done
  [ -z "$file" ] || exec <"$file"
  input=$(cat)
  live=''
  case $input in *-X*) live=$(iptables-legacy-save) ;; esac
  checked=$(printf '%s\n@@input\n%s\n' "$live" "$input" | "$AWK" "$CHECK" mode=restore)
  refused=$(printf '%s\n' "$checked" | sed -n 's/^@error //p')
  # Tables before the one with the bad line are committed already.
  for word; do shift; case $word in -*) set -- "$@" "$word" ;; esac; done
  printf '%s\n' "$checked" | sed '/^@error /d' | iptables-legacy-restore "$@" || exit
  case $refused in
    '') ;;
    '1 '*) echo "iptables-restore: ${refused#1 }" >&2; exit 1 ;;
    *) fail 2 "${refused#2 }" ;;
  esac
}

usage() {
  printf 'Usage: iptables-restore [-b] [-c] [-v] [-t] [-h]\n\t   [ --%s ]\n' binary counters verbose test help noflush >&2
  exit 1
}

fail() { # <status> <text>
  printf "%s v1.3.5: %s\nTry \`%s -h' or '%s --help' for more information.\n" "$tool" "$2" "$tool" "$tool" >&2
  exit "$1"
}

# Splits a line into `word`, as iptables-restore does: what stands in quotes is one word.
WORDS='
function words(line,  n, i, c, quoted, open) {
  split("", word); n = 0; open = 0
  for (i = 1; i <= length(line); i++) {
    c = substr(line, i, 1)
    if (c == "\"") { if (!open) word[++n] = ""; quoted = !quoted; open = 1 }
    else if (c == " " && !quoted) open = 0
    else { if (!open) word[++n] = ""; open = 1; word[n] = word[n] c }
  }
  return n
}
function shown(text) { return text == "" || text ~ / / ? "\"" text "\"" : text }
'

# Prints the input up to the table that 1.3.5 refuses, then why: `@error <status> <text>`.
# shellcheck disable=SC2016 # awk text
CHECK=$WORDS'
BEGIN {
  list(known, "--append --delete --insert --replace --list --flush --zero --new-chain --delete-chain --rename-chain --policy --source --destination --src --dst --protocol --proto --in-interface --jump --table --match --numeric --out-interface --verbose --exact --fragments --fragment --version --help --line-numbers --modprobe --set-counters --goto")
  list(known, "--source-port --sport --destination-port --dport --syn --tcp-flags --tcp-option --icmp-type --state --ctstate --ctproto --ctorigsrc --ctorigdst --ctreplsrc --ctrepldst --ctstatus --ctexpire --comment --source-ports --sports --destination-ports --dports --ports --src-type --dst-type --limit --limit-burst --mac-source --src-range --dst-range --mark --length --dscp --dscp-class --tos --ttl-eq --ttl-gt --ttl-lt --uid-owner --gid-owner --physdev-in --physdev-out --physdev-is-bridged --pkt-type --helper --mss")
  list(known, "--to --to-destination --to-source --to-ports --reject-with --log-prefix --log-level --log-tcp-sequence --log-tcp-options --log-ip-options --log-uid --clamp-mss-to-pmtu --set-mss --set-mark --save-mark --restore-mark --mask --set-dscp --set-dscp-class --set-tos --set-class --ttl-set --ttl-dec --ttl-inc --ulog-prefix --queue-num")
  list(matches, "ah addrtype comment connlimit connmark conntrack dscp ecn esp hashlimit helper icmp iprange length limit mac mark multiport owner physdev pkttype policy realm sctp standard state tcp tcpmss tos ttl udp unclean")
  list(later, "AUDIT CHECKSUM CT DNPT HMARK IDLETIMER LED NFLOG RATEEST SECMARK CONNSECMARK SET SNPT SYNPROXY TCPOPTSTRIP TEE TPROXY")
}
mode == "restore" && !reading { if ($0 == "@@input") { reading = 1; table = "" } else live($0); next }
{ lines++ }
/^#/ || /^ *$/ || failed != "" { next }
/^[*:]/ || $0 == "COMMIT" { if (/^[*]/) table = substr($0, 2); keep($0); if ($0 == "COMMIT") { printf "%s", kept; kept = "" } next }
{ check($0) }
END { if (failed != "") print "@error " failed }

function list(into, text,  n, part, i) { n = split(text, part, " "); for (i = 1; i <= n; i++) into[part[i]] = 1 }
function keep(line) { kept = kept line "\n" }
function live(line,  n, i) {
  if (line ~ /^[*]/) { table = substr(line, 2); return }
  n = words(line)
  for (i = 3; i < n; i++) if (word[i] == "-j" || word[i] == "-g") referenced[table, word[i + 1]] = 1
}
function check(line,  n, i, name, out) {
  n = words(line); out = ""
  for (i = 1; i <= n; i++) {
    if (i < n - 1 && word[i] ~ /^-/ && word[i + 1] == "!" && word[i + 2] !~ /^-/) { word[i + 1] = word[i]; word[i] = "!" }
    out = out (i > 1 ? " " : "") shown(word[i])
    if (word[i - 1] == "--comment" || word[i - 1] ~ /^--(log|ulog)-prefix$/ || word[i] !~ /^-./) continue
    name = word[i]; sub(/=.*/, "", name)
    if (name ~ /^--/ ? !(name in known) : substr(name, 2) !~ /^[ADRILFZNXEPVopsdjifbvntmxcgh]/) { failed = "2 Unknown arg `" word[i] "\047"; return }
    if ((name == "-m" || name == "--match") && !(word[i + 1] in matches)) { failed = "2 Couldn\047t load match `" word[i + 1] "\047"; return }
    if ((name == "-j" || name == "--jump") && (word[i + 1] in later)) { failed = "2 Couldn\047t load target `" word[i + 1] "\047"; return }
    # The jump that this very commit takes away still counts.
    if (mode == "restore" && name ~ /^(-X|--delete-chain)$/ && ((table, word[i + 1]) in referenced)) { failed = "1 line " lines " failed"; return }
  }
  if (mode == "restore") keep(out)
}
'

# What today's iptables-save prints, as 1.3.5 prints it: dotted masks, none for one address, `-s ! x`, quoted comments, a blank at the end of each rule.
# shellcheck disable=SC2016 # awk text
SPELL=$WORDS'
/^# Generated by/ { sub(/iptables-save v[^ ]*/, "iptables-save v1.3.5"); print; next }
!/^(\[[0-9]+:[0-9]+\] )?-A / { print; next }
{
  n = words($0); out = ""
  for (i = 1; i <= n; i++) {
    if (word[i] == "!" && word[i + 1] ~ /^-/ && word[i + 1] != "-f") { out = out word[i + 1] " ! "; i++ }
    else if (word[i - 1] == "--comment" || word[i - 1] == "--log-prefix") out = out "\"" word[i] "\" "
    else out = out (address() ? spelled(word[i]) : word[i]) " "
  }
  print out
}
function address() { return word[i] ~ "/" && (word[i - 1] == "-s" || word[i - 1] == "-d") }
function spelled(cidr,  part) {
  split(cidr, part, "/")
  if (part[2] ~ /[.]/) return cidr
  return part[1] (part[2] == 32 ? "" : "/" dotted(part[2]))
}
function dotted(prefix,  bit, octet, mask) {
  # Without `^`: busybox may be built with an awk that cannot raise to a power.
  for (bit = 1; bit <= 32; bit++) {
    octet = 2 * octet + (bit <= prefix)
    if (bit % 8 == 0) { mask = mask (mask == "" ? "" : ".") octet; octet = 0 }
  }
  return mask
}
'

main "$@"
