package kvasir.metal.tdx;

/** State of one key id in the key ownership table. */
public enum HkidState {
    HKID_FREE,
    HKID_ASSIGNED,
    HKID_FLUSHED,
    HKID_RESERVED
}
