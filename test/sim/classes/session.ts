import { setTimeout as wait } from "node:timers/promises";
import { now } from "../clock.ts";
import { XapiFailure } from "../errors.ts";
import { type CallContext, type Method, method } from "../method.ts";
import { assertMaster } from "../pool-role.ts";

/** Log in and out. */
export const sessionMethods: Method[] = [
  method(
    "session.login_with_password",
    "uname string, pwd string, version string=1.1, originator string=",
    "ref<session>",
    login,
    { needsSession: false },
  ),
  method("session.logout", "", "void", ({ world, session }) => {
    world.db.remove("session", session);
    return undefined;
  }),
];

async function login(context: CallContext, username: string, password: string, _version: string, originator: string) {
  const { world, endpoint } = context;
  assertMaster(world, endpoint);
  if (username !== world.username || password !== world.password) {
    await wait(world.authDelayMs);
    throw new XapiFailure("SESSION_AUTHENTICATION_FAILED", [username, "The user name or the password is wrong."]);
  }
  return world.db.insert("session", {
    this_host: endpoint.host,
    last_active: now(),
    validation_time: now(),
    is_local_superuser: true,
    pool: false,
    auth_user_name: username,
    originator,
  });
}
