import { threeNetworks } from "./life/scenarios.ts";
import { crashSuite } from "./suite.ts";

crashSuite(threeNetworks);
