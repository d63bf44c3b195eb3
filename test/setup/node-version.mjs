// No import and no new syntax here: an old Node must get as far as the message.

/** Ends with a message when this Node cannot run the project. */
export function requireNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  const supported = (major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major >= 24;
  if (supported) return;
  console.error(
    `pulumi-xennet needs Node 20.19, 22.12, 24 or newer; this is Node ${process.versions.node}. Get one at https://nodejs.org.`,
  );
  process.exit(1);
}
