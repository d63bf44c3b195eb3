"use strict";
/** Forwards to the handlers by a lazy require, so that nothing but this text lands in the state. */
const provider = {
  configure: (request) => require("./handlers").configure(request),
  check: (olds, news) => require("./handlers").check(olds, news),
  diff: (id, olds, news) => require("./handlers").diff(id, olds, news),
  create: (inputs) => require("./handlers").create(inputs),
  read: (id, props) => require("./handlers").read(id, props),
  update: (id, olds, news) => require("./handlers").update(id, olds, news),
  delete: (id, props) => require("./handlers").delete(id, props),
};
module.exports = { provider };
