import { twoWebServers } from "./life/scenarios.ts";
import { crashSuite } from "./suite.ts";

crashSuite(twoWebServers);
