import type { dynamic } from "@pulumi/pulumi";

/** The resource classes of this package; part of every resource's type token, so never renamed. */
export type Kind = "XenNetwork" | "XenVif" | "HostForwarding" | "PortForward";

/**
 * The only code that lands in a stack's state: Pulumi stores the text of the provider object with every resource and later
 * runs `read` and `delete` from it. So it holds nothing but the kind, and loads the handlers of the installed package when
 * called; an old stack then runs today's corrected code. Its text is the same across releases (test/unit/bridge.test.ts).
 */
export function bridge(kind: Kind): dynamic.ResourceProvider {
  return {
    configure: async (request) => require("pulumi-xennet/handlers").configure(request.config),
    check: (olds, news) => require("pulumi-xennet/handlers").handle(kind, "check", [olds, news]),
    diff: (id, olds, news) => require("pulumi-xennet/handlers").handle(kind, "diff", [id, olds, news]),
    create: (inputs) => require("pulumi-xennet/handlers").handle(kind, "create", [inputs]),
    read: (id, props) => require("pulumi-xennet/handlers").handle(kind, "read", [id, props]),
    update: (id, olds, news) => require("pulumi-xennet/handlers").handle(kind, "update", [id, olds, news]),
    delete: (id, props) => require("pulumi-xennet/handlers").handle(kind, "delete", [id, props]),
  };
}
