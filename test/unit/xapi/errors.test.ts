import { expect, test } from "vitest";
import { unreachable, untrusted } from "../../../provider/src/xapi/connection-errors.ts";
import { hasXapiCode, isGone, XapiError } from "../../../provider/src/xapi/errors.ts";

test.each([
  [["VM_BAD_POWER_STATE", "OpaqueRef:vm", "running", "halted"], "the VM must be running, and is halted"],
  [["OTHER_OPERATION_IN_PROGRESS", "VIF", "OpaqueRef:vif", "plug", "OpaqueRef:task"], "(plug) is running on the VIF"],
  [["NETWORK_CONTAINS_VIF", "OpaqueRef:a", "OpaqueRef:b"], "OpaqueRef:a, OpaqueRef:b"],
  [["DEVICE_ALREADY_EXISTS"], "already has a VIF on device ?"],
  [["SOMETHING_NEW", "first", "second"], "first, second (SOMETHING_NEW)"],
  [["SOMETHING_NEW"], "the host refused it (SOMETHING_NEW)"],
  [["toString"], "the host refused it (toString)"],
])("%j becomes a sentence with its code", (description, part) => {
  const error = new XapiError("VIF.plug", description);
  expect(error.message).toMatch(/^VIF\.plug failed: /);
  expect(error.message).toContain(part);
  expect(error).toMatchObject({ code: "XAPI_FAILURE", xapiCode: description[0], params: description.slice(1) });
});

test("gone and any other code are told apart", () => {
  const of = (code: string) => new XapiError("VIF.destroy", [code, "x", "y"]);
  expect([of("HANDLE_INVALID"), of("UUID_INVALID")].every(isGone)).toBe(true);
  expect(isGone(of("VIF_IN_USE"))).toBe(false);
  expect(isGone(new Error("HANDLE_INVALID"))).toBe(false);
  expect(hasXapiCode(of("VIF_IN_USE"), "X", "VIF_IN_USE")).toBe(true);
});

test("an error about a named profile gives the command for that profile", () => {
  const peer = { url: "https://192.0.2.7", profile: "lab", sentBy: undefined, through: undefined };
  const { message } = untrusted(peer, { kind: "untrusted", seen: "AA:BB", reason: "SELF_SIGNED" });
  expect(message).toContain("pulumi config set --path 'xennet:hosts.lab.xapiFingerprint' AA:BB");
});

test.each([
  [
    "802C:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:ssl3_record.c:350:\n",
    "EPROTO",
    /: what answers there speaks no TLS\. /,
  ],
  [
    "80:error:0A0000C6:SSL routines::packet length too long:x.c:1:\n",
    "ERR_SSL_PACKET_LENGTH_TOO_LONG",
    /speaks no TLS\. /,
  ],
  [
    "80:error:0A00042E:SSL routines:f:tlsv1 alert protocol version:x.c:1:\n",
    "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION",
    /: the TLS handshake failed \(tlsv1 alert protocol version\)\. /,
  ],
  ["odd\r\n\x1b[2Jtext", "EODD", /: odd \?\[2Jtext\. /],
])("a connection that failed with %j is told in one clean line", (text, code, told) => {
  const peer = { url: "https://192.0.2.7", profile: "default", sentBy: undefined, through: undefined };
  const { message } = unreachable(peer, Object.assign(new Error(text), { code }));
  expect(message).toMatch(told);
  expect(message).toMatch(/^[ -~]+$/);
});
