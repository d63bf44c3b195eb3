import { expect, test } from "vitest";
import { confirmationWindowProblem, usualWindow } from "../../../provider/src/hosts/confirmation-window.ts";
import { haTimeoutOf, type PoolRecord } from "../../../provider/src/xapi/pools.ts";

const pool: PoolRecord = {
  ...{ ref: "OpaqueRef:pool", uuid: "p", name_label: "lab", master: "OpaqueRef:host", other_config: {} },
  ...{ ha_enabled: true, ha_configuration: {} },
};

test("the time-out of HA is whoever switched it on's, else the pool's, else 60 s; none while it is off", () => {
  const default_ha_timeout = "120";
  expect(haTimeoutOf({ ...pool, ha_configuration: { timeout: "90" }, other_config: { default_ha_timeout } })).toBe(90);
  expect(haTimeoutOf({ ...pool, other_config: { default_ha_timeout } })).toBe(120);
  expect(haTimeoutOf(pool)).toBe(60);
  expect(haTimeoutOf({ ...pool, ha_configuration: { timeout: "soon" } })).toBe(60);
  expect(haTimeoutOf({ ...pool, ha_enabled: false, ha_configuration: { timeout: "90" } })).toBe(undefined);
});

test.each([
  [300, undefined],
  [30, 90],
  [20, 60],
])("a window of %i s is right where HA waits for %s s", (seconds, timeout) => {
  expect(confirmationWindowProblem("default", seconds, timeout)).toBe(undefined);
});

test("a window above a third of the time-out is refused with the command that sets a shorter one", () => {
  const problem = confirmationWindowProblem("default", usualWindow, 60);
  expect(problem).toMatch(/^expected xennet:confirmationWindow of 20 s at most, .*\(60 s\).* found 30 s\. Run "/);
  expect(problem).toContain('"pulumi config set xennet:confirmationWindow 20", or set XENNET_CONFIRMATION_WINDOW');
  expect(confirmationWindowProblem("lab", 31, 92)).toContain("'xennet:hosts.lab.confirmationWindow' 30\"");
});

test("where no window could be short enough, the time-out is what has to change", () => {
  expect(confirmationWindowProblem("default", 10, 29)).toMatch(
    /raise the time-out to 30 s or more .*ha-config:timeout/,
  );
});
