/**
 * What happens outside XAPI's database when a simulated call moves something: the lab makes bridges, veths and guests
 * from it; tests without a lab use {@link nullBackplane}.
 */
export interface Backplane {
  /** A domain was built. Resolves when the guest runs. `domid` is new at each start. */
  startGuest(guest: SimGuest): Promise<void>;
  /** The domain is gone; its VIFs were unplugged before. */
  stopGuest(guest: SimGuest): Promise<void>;
  /** Makes the bridge on first use (internal network), makes `vif<domid>.<device>` and joins it. */
  plugVif(vif: SimVif): Promise<void>;
  /** Removes the port; removes an internal bridge with its last port. */
  unplugVif(vif: SimVif): Promise<void>;
  /** VIF.move on a running guest: same port, MAC and guest address, another bridge. */
  moveVif(vif: SimVif, fromBridge: string, fromInternal: boolean): Promise<void>;
  /** VIF.configure_ipv4 on a running guest; `undefined` takes the address away. */
  configureIpv4(vif: SimVif, ipv4: SimIpv4 | undefined): Promise<void>;
  /** An internal bridge whose ports are gone goes with its network; only where bridges outlive their last port. */
  removeBridge(bridge: string): Promise<void>;
  /** The XAPI network table changed: uuid → bridge name, what `xe network-list` on dom0 answers. */
  networksChanged(networks: ReadonlyArray<{ uuid: string; bridge: string }>): Promise<void>;
}

export interface SimGuest {
  readonly uuid: string;
  readonly name: string;
  readonly domid: number;
}

export interface SimIpv4 {
  /** With prefix length, e.g. `192.168.100.11/24`. */
  readonly address: string;
  readonly gateway: string;
}

export interface SimVif {
  readonly uuid: string;
  readonly guest: SimGuest;
  readonly device: string;
  readonly mac: string;
  readonly mtu: number;
  readonly bridge: string;
  readonly networkUuid: string;
  /** True for a network without PIF: its bridge comes and goes with its ports. */
  readonly internal: boolean;
  readonly ipv4: SimIpv4 | undefined;
}

export const nullBackplane: Backplane = {
  startGuest: async () => {},
  stopGuest: async () => {},
  plugVif: async () => {},
  unplugVif: async () => {},
  moveVif: async () => {},
  configureIpv4: async () => {},
  removeBridge: async () => {},
  networksChanged: async () => {},
};
