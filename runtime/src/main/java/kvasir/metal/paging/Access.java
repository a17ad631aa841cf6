package kvasir.metal.paging;

/** What a translation is for. */
public enum Access {
    READ,
    WRITE,
    FETCH
}
