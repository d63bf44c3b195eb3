import { twoWebServers } from "./scenarios.ts";
import { crashSuite } from "./suite.ts";

crashSuite(twoWebServers);
