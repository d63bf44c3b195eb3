# Transaction: checks it and says what each operation comes to; in mode `write` stores the fragments; in mode `verify` says what the host does not bear out, with the `missing` and `live` lines of a snapshot after it

BEGIN {
  chains_begin()
  arguments_begin()
  interfaces_begin()
  looked = 0
  split("", holder)
  failed = host = ""
  op = window = committed = open_fragment = expect_fragment = 0
}
mode == "verify" && committed && $1 == "missing" { if ($3 !~ /^(hooks?|cron)$/ && !($2 in lacks)) lacks[$2] = substr($0, 9 + length($2) + 1); next }
mode == "verify" && committed && $1 == "live" { if (match($0, /xennet-[0-9a-f]+/)) live_token[substr($0, RSTART + 7, RLENGTH - 7)] = 1; next }
failed != "" || committed { if (!committed) next; if ($0 != "") failed = "error MALFORMED text after commit"; next }
open_fragment { fragment_line(op, $0); if (complete[op]) open_fragment = 0; next }
expect_fragment { expect_fragment = 0; open_fragment = 1; fragment_begin(op, $0); next }
NR == 1 { if ($0 ~ /^xennet-transaction [0-9]+$/ && $2 > 1) failed = "error FORMAT_NEWER the transaction has format " $2 ", this program knows 1"
          else if ($0 != "xennet-transaction 1") failed = "error MALFORMED a transaction begins with: xennet-transaction 1"; next }
$1 == "host" && NF == 2 { host = $2; next }
$1 == "window" && NF == 2 && is_number($2) && $2 >= 1 && $2 <= 600 { window = $2 + 0; next }
$1 == "put" && NF == 2 && is_hex($2, 12) { operation("put", $2); expect_fragment = 1; next }
$1 == "remove" && NF == 3 && is_hex($2, 12) && is_hex($3, 16) { operation("remove", $2); incarnation[op] = $3; next }
$0 == "commit" { committed = 1; next }
{ failed = "error MALFORMED line " NR ": " printable($0) }
END {
  if (failed == "" && !committed) failed = "error MALFORMED the transaction has no commit; nothing was changed"
  if (failed == "" && (host == "" || !window)) failed = "error MALFORMED host and window (1 to 600 seconds) are needed"
  if (failed == "" && inventory("INSTALLATION_UUID") != host) failed = "error HOST_MISMATCH " printable(inventory("INSTALLATION_UUID"))
  if (failed != "") { print failed; exit }
  load_base()
  if (mode == "check") print "window " window
  do_operations()
  if (mode == "check") print "done"
}
function do_operations(  i) { for (i = 1; i <= op; i++) if (kind[i] == "put") do_put(i); else do_remove(i) }
function operation(what, token) {
  if (token in operation_of) failed = "error MALFORMED two operations on " token
  op++; operation_of[token] = op; kind[op] = what; op_token[op] = token
}
function load_base(  i, id, n, part) {
  for (i = 1; i <= files; i++) {
    id = "base" i
    if (fragment_file(id, file[i])) { stored[field[id, "token"]] = id; holder[field[id, "token"]] = id }
    else damaged[name_of(file[i])] = 1
  }
  n = split(irregular, part, " ")
  for (i = 1; i <= n; i++) damaged[part[i]] = 1
}
function body(id,  i, content) {
  content = ""
  for (i = 1; i <= lines[id]; i++) if (text[id, i] !~ /^serial /) content = content text[id, i] "\n"
  return content
}
function do_put(i,  token, taken) {
  token = op_token[i]
  if (problem[i] == "" && value_of(i, "token") != token) problem[i] = "is of another token than its put"
  if (problem[i] == "" && ((i, "serial") in field)) problem[i] = "must not bring a serial"
  if (problem[i] != "") { if (mode == "check") print "invalid " token " " printable(problem[i]); return }
  if (mode == "verify") { verify_put(i, token); return }
  if ((token in stored) && body(stored[token]) == body(i)) { if (mode == "check") print "same " token; return }
  taken = taken_by_others(i)
  if (taken != "") { if (mode == "check") print "taken " token " " taken; return }
  holder[token] = i
  if (mode == "check") print "put " token; else store(i, token)
}
function verify_put(i, token) {
  if (index(skip, " " token " ")) return
  if (!(token in stored) || body(stored[token]) != body(i)) { if (undone != "yes") print token " NOT_KEPT the host has not stored the declaration as it was sent" }
  else if (token in lacks) print token " NOT_KEPT the host does not keep what was set: " lacks[token] (said == "" ? "" : " (" said ")")
}
function do_remove(i,  token, there) {
  token = op_token[i]
  # Nobody can tell the incarnation of a damaged file, and nobody needs it.
  there = (token in damaged) || (token in stored) && field[stored[token], "incarnation"] == incarnation[i]
  if (there && (token in holder)) delete holder[token]
  if (mode == "verify") {
    if (undone == "yes" || index(skip, " " token " ")) return
    if (there) print token " NOT_KEPT the host still has the declaration"
    else if (!(token in stored) && (token in live_token)) print token " NOT_KEPT rules of the declaration are still in force"
  }
  if (mode == "check") print (there ? "drop " : "absent ") token
}
function store(i, token,  path, j, content, line, found, got) {
  path = dir "/" token ".fragment"
  content = found = ""
  for (j = 1; j <= lines[i]; j++) { content = content text[i, j] "\n"; if (text[i, j] ~ /^token /) content = content "serial " serial "\n" }
  content = content "end\n"
  printf "%s", content > path
  close(path)
  while ((got = (getline line < path)) > 0) found = found line "\n"
  if (got >= 0) close(path)
  if (found != content) print "error STORE_FAILED cannot write " path
}
