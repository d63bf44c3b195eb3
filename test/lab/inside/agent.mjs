// Runs inside a network namespace of the lab, driven over IPC: joins TCP and unix sockets, asks and answers HTTP.
import { unlinkSync } from "node:fs";
import http from "node:http";
import net from "node:net";

const actions = {
  /** Unix socket → TCP, the inner half of the workstation's relay. */
  dial: ({ path, host, port }) =>
    listening(
      net.createServer({ allowHalfOpen: true }, (outer) =>
        join(outer, net.connect({ host, port, allowHalfOpen: true, noDelay: true })),
      ),
      { path },
    ),
  /** TCP → unix socket, how dom0's ports lead to the process that owns the lab. */
  expose: ({ host, port, path }) =>
    listening(
      net.createServer({ allowHalfOpen: true, noDelay: true }, (outer) =>
        join(outer, net.connect({ path, allowHalfOpen: true })),
      ),
      { host, port },
    ),
  /** Answers who is asked, by whom, and where. */
  serve: ({ name, host, port }) =>
    listening(
      http.createServer((request, response) => {
        const { remoteAddress: peer, localAddress: local, localPort } = request.socket;
        response.setHeader("content-type", "application/json");
        response.end(`${JSON.stringify({ vm: name, peer, local, port: localPort })}\n`);
      }),
      { host, port },
    ),
  get: ({ url, timeoutMs }) => get(url, timeoutMs),
};

process.on("disconnect", () => process.exit());
process.on("message", ({ id, action, ...input }) => {
  actions[action](input).then(
    (result) => process.send({ id, result }),
    (error) => process.send({ id, error: error.message }),
  );
});
process.send({ id: 0, result: "ready" });

function listening(server, where) {
  return new Promise((resolve, reject) => {
    server.on("error", reject);
    server.listen({ ...where, backlog: 512 }, () => resolve(true));
    if (where.path) process.on("exit", () => unlinkSync(where.path));
  });
}

/** Pipes both ways, half-closes included; an error on one side ends the other. */
function join(a, b) {
  for (const [from, to] of [
    [a, b],
    [b, a],
  ]) {
    from.pipe(to);
    from.on("error", () => (to.resetAndDestroy && to.remoteAddress ? to.resetAndDestroy() : to.destroy()));
    from.on("close", () => to.destroySoon());
  }
}

/** One GET over a connection of its own, with a deadline for the whole. */
function get(url, timeoutMs) {
  const started = Date.now();
  const ms = () => Date.now() - started;
  return new Promise((resolve) => {
    const failed = (error) => {
      clearTimeout(deadline);
      resolve({ kind: kindOf(error.code), code: error.code ?? error.message, ms: ms() });
    };
    const request = http.get(url, { agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk) => {
        body += chunk;
      });
      response.on("error", failed);
      response.on("end", () => {
        clearTimeout(deadline);
        resolve({ kind: "answered", status: response.statusCode, body, ms: ms() });
      });
    });
    request.on("error", failed);
    const deadline = setTimeout(
      () => request.destroy(Object.assign(new Error("deadline"), { code: "TIMEOUT" })),
      timeoutMs,
    );
  });
}

function kindOf(code) {
  if (code === "ECONNREFUSED") return "refused";
  if (code === "EHOSTUNREACH" || code === "ENETUNREACH") return "unreachable";
  return code === "TIMEOUT" || code === "ETIMEDOUT" ? "timeout" : "failed";
}
