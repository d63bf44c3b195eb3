import { installDependencies } from "./dependencies.mjs";
import { prepareLab } from "./lab-packages.mjs";
import { buildProvider } from "./provider-build.mjs";
import { preparePythonClient } from "./python-client.mjs";
import { SetUpError } from "./step.mjs";
import { prepareSystemdRoot } from "./systemd-root.mjs";

/** Brings a fresh clone to where the tour and the tests can run; does only what is not done yet. */
export function setUp({ forTests, withSystemd = false }) {
  try {
    installDependencies();
    buildProvider();
    prepareLab({ forTests });
    if (forTests) {
      preparePythonClient();
      if (withSystemd) prepareSystemdRoot();
    }
  } catch (error) {
    if (!(error instanceof SetUpError)) throw error;
    console.error(`\n${error.message}`);
    process.exit(1);
  }
}
