package kvasir.kvm;

/** The kinds of place at which the kernel may be preempted by something that matters (design decision D7). */
public enum Seam {
    /** Before a lock is taken. */
    LOCK,
    /** After a lock was dropped. */
    UNLOCK,
    /** Before a compare-and-exchange, or an atomic write, of an SPTE. */
    SPTE,
    /** Before a pointer that lockless readers follow is published: memslots, a request to a vCPU. */
    PUBLISH,
    /** Before per-gfn attributes are stored. */
    ATTRIBUTES,
    /** Before user memory is read or written, or a page of it is pinned. */
    USER_COPY,
    /** Before a SEAMCALL. */
    SEAMCALL,
    /** Before an instruction on the RMP, or a command to the PSP. */
    FIRMWARE,
    /** A loop failed to make progress and goes round again. */
    RETRY,
    /** Before the guest is entered. */
    GUEST_ENTRY
}
