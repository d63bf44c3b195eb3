import { createHmac } from "node:crypto";
import { expect, test } from "vitest";
import { findKnownKeys } from "../../../provider/src/dom0/known-hosts.ts";
import { ed25519 } from "../../support/dom0-double/ssh-server.ts";

const key = ed25519().public;
const base64 = key.split(" ")[1];

function knows(line: string, host: string, port = 22): boolean {
  const { trusted } = findKnownKeys(`# comment\n\n${line}\n`, host, port);
  return trusted.length === 1 && trusted[0]?.blob.toString("base64") === base64;
}

function hashed(name: string): string {
  const salt = Buffer.from("0123456789abcdefghij");
  return `|1|${salt.toString("base64")}|${createHmac("sha1", salt).update(name).digest("base64")} ${key}`;
}

test("plain entries match by name and address, whatever the case", () => {
  expect(knows(`xen1.example,192.168.1.10 ${key} root@xen1`, "192.168.1.10")).toBe(true);
  expect(knows(`xen1.example ${key}`, "XEN1.example")).toBe(true);
  expect(knows(`xen1.example ${key}`, "xen1.example.org")).toBe(false);
});

test("another port than 22 has its own entries", () => {
  expect(knows(`[xen1]:2222 ${key}`, "xen1", 2222)).toBe(true);
  expect(knows(`[xen1]:2222 ${key}`, "xen1", 22)).toBe(false);
  expect(knows(`xen1 ${key}`, "xen1", 2222)).toBe(false);
});

test("hashed entries match their host only", () => {
  expect(knows(hashed("xen1"), "xen1")).toBe(true);
  expect(knows(hashed("[xen1]:2222"), "xen1", 2222)).toBe(true);
  expect(knows(hashed("xen1"), "xen2")).toBe(false);
});

test("wildcards match, and a negated pattern rules the line out", () => {
  expect(knows(`*.lab.example ${key}`, "xen1.lab.example")).toBe(true);
  expect(knows(`xen? ${key}`, "xen1")).toBe(true);
  expect(knows(`xen? ${key}`, "xen12")).toBe(false);
  expect(knows(`xen.1 ${key}`, "xenx1")).toBe(false);
  expect(knows(`*,!xen1 ${key}`, "xen1")).toBe(false);
  expect(knows(`*,!xen1 ${key}`, "xen2")).toBe(true);
});

test("revoked keys are told apart, certificate authorities and broken lines are passed over", () => {
  const text = `@revoked * ${key}\n@cert-authority * ${key}\nxen1 ssh-rsa ${base64}\nxen1 ssh-ed25519\nxen1\n`;
  const { trusted, revoked } = findKnownKeys(text, "xen1", 22);
  expect(trusted).toEqual([]);
  expect(revoked).toHaveLength(1);
});
