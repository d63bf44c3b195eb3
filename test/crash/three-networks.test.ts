import { threeNetworks } from "./scenarios.ts";
import { crashSuite } from "./suite.ts";

crashSuite(threeNetworks);
