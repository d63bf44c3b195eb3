import { describeLifecycles } from "./suite.ts";

describeLifecycles("xcp-ng-8.2");
