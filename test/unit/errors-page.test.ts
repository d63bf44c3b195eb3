import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { programText } from "../../provider/src/dom0/program-text.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const page = readFileSync(join(root, "docs/errors.md"), "utf8");

/** Words in capitals that are no codes of ours: XAPI's codes, the environment, Node's, the inventory. */
const foreign = new Set(
  `EAI_AGAIN ERR_SSL_WRONG_VERSION_NUMBER XENNET_HOSTS SSH_AUTH_SOCK PULUMI_CONFIG PULUMI_CONFIG_SECRET_KEYS SESSION_INVALID HOST_IS_SLAVE
  VM_LACKS_FEATURE UUID_INVALID TASK_CANCELLED SESSION_AUTHENTICATION_FAILED OPERATION_NOT_ALLOWED OTHER_OPERATION_IN_PROGRESS
  MESSAGE_METHOD_UNKNOWN MESSAGE_PARAMETER_COUNT_MISMATCH HANDLE_INVALID VIF_IN_USE VM_BAD_POWER_STATE DEVICE_ALREADY_ATTACHED
  DEVICE_ALREADY_DETACHED MANAGEMENT_INTERFACE MANAGEMENT_ADDRESS_TYPE INSTALLATION_UUID`.split(/\s+/),
);

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"));
}

test("the page of errors lists every code that the package uses", () => {
  const used = sources(join(root, "provider/src"))
    .flatMap((text) => [...text.matchAll(/"([A-Z][A-Z0-9]+(?:_[A-Z0-9]+)+)"/g)])
    .map(([, code]) => code as string)
    .filter((code) => !foreign.has(code));
  const missing = [...new Set(used)].filter((code) => !new RegExp(`\\b${code}\\b`).test(page));
  expect(missing).toEqual([]);
});

test("the page of errors lists every code that the host program answers with", () => {
  const said =
    /(?:\b(?:error|refuse|fail|abandon|undo_all) |(?<!\bsay\()")([A-Z]+_[A-Z_]+|[A-Z]{4,}(?= ["a-z]))\b(?! =)/g;
  const answered = [...programText().text.matchAll(said)]
    .map(([, code]) => code as string)
    .filter((code) => !foreign.has(code));
  for (const one of ["FIREWALLD", "NOT_KEPT", "SUBNET_TAKEN", "MALFORMED"]) expect(answered).toContain(one);
  expect([...new Set(answered)].filter((code) => !page.includes(code))).toEqual([]);
});
