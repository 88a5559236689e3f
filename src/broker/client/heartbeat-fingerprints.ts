/** What heartbeats of version 2 said last about the subscriptions of each group (wire-protocol 6.5). */
export class HeartbeatFingerprints {
  private readonly byGroup = new Map<string, number>()

  /**
   * Notes the fingerprint of a heartbeat; 0 of one without. True when the client should send its subscriptions in full:
   * another member said otherwise last, or they are left out and were never heard here (after a restart, say).
   */
  update(group: string, fingerprint: number, withoutSub: boolean): boolean {
    const old = this.byGroup.get(group)
    this.byGroup.set(group, fingerprint)
    return old === undefined ? withoutSub : old !== fingerprint
  }

  /** The group has no members any more, and so no subscriptions. */
  forget(group: string): void {
    this.byGroup.delete(group)
  }
}
