// `npm start`: whatever is needed first, then the tour.
import { requireNode } from "./node-version.mjs";

requireNode();
const { setUp } = await import("./set-up.mjs");
setUp({ forTests: false });
const { register } = await import("tsx/esm/api");
register();
await import("../tour/tour.ts");
