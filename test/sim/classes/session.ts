import { setTimeout as wait } from "node:timers/promises";
import { now } from "../clock.ts";
import { XapiFailure } from "../errors.ts";
import { type CallContext, type Method, method } from "../method.ts";

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

async function login({ world }: CallContext, username: string, password: string, _version: string, originator: string) {
  if (world.slave.master !== undefined) throw new XapiFailure("HOST_IS_SLAVE", [world.slave.master]);
  if (username !== world.username || password !== world.password) {
    await wait(world.authDelayMs);
    throw new XapiFailure("SESSION_AUTHENTICATION_FAILED", [username, "The user name or the password is wrong."]);
  }
  const [host = ""] = world.db.refs("host");
  return world.db.insert("session", {
    this_host: host,
    last_active: now(),
    validation_time: now(),
    is_local_superuser: true,
    pool: false,
    auth_user_name: username,
    originator,
  });
}
