import { describeLifecycles } from "./suite.ts";

describeLifecycles("xenserver-5.6");
