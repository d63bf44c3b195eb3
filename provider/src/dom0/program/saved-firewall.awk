# Lines of ours in a saved firewall file, however they are written: a sed command for each, so that sed leaves every byte of the others

BEGIN { chains_begin(); for (k = 1; k <= chain_count; k++) is_ours["XENNET-" base[k]] = 1 }
{
  sub(/\r$/, "")
  n = words($0); first = 1
  if (word[1] ~ /^:/) { if (substr(word[1], 2) in is_ours) print NR "d"; next }
  if (word[1] ~ /^\[[0-9]+:[0-9]+\]$/) first = 2
  if (first <= n && word[first] ~ /^-/ && (names_chain() || jumps())) print NR "d"
}
# -A XENNET-FORWARD, --append XENNET-FORWARD, -N XENNET-FORWARD
function names_chain() { return word[first + 1] in is_ours || word[first] ~ /^-[A-Z]XENNET-/ && substr(word[first], 3) in is_ours }
function jumps(  i, target) {
  for (i = first + 1; i <= n; i++) {
    if (word[i] == "--comment") { i++; continue }
    target = ""
    if (word[i] ~ /^(-j|-g|--jump|--goto)$/) target = word[i + 1]
    else if (word[i] ~ /^-[jg]./) target = substr(word[i], 3)
    else if (word[i] ~ /^--(jump|goto)=/) { target = word[i]; sub(/^[^=]*=/, "", target) }
    if (target in is_ours) return 1
  }
  return 0
}
# What stands in quotes is one word, as iptables-restore reads it.
function words(line,  n, i, c, quoted, open) {
  split("", word); n = 0; open = 0; quoted = 0
  for (i = 1; i <= length(line); i++) {
    c = substr(line, i, 1)
    if (c == "\"") { if (!open) word[++n] = ""; quoted = !quoted; open = 1 }
    else if ((c == " " || c == "\t") && !quoted) open = 0
    else { if (!open) word[++n] = ""; open = 1; word[n] = word[n] c }
  }
  return n
}
