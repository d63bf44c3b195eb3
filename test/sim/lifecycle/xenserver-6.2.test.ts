import { describeLifecycles } from "./suite.ts";

describeLifecycles("xenserver-6.2");
