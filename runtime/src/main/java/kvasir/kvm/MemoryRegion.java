package kvasir.kvm;

/**
 * The argument of KVM_SET_USER_MEMORY_REGION2 (struct kvm_userspace_memory_region2).
 *
 * @param slot address space in bits 31:16, slot id in bits 15:0
 * @param flags KVM_MEM_*
 * @param guestPhysAddr bytes
 * @param memorySize bytes; 0 deletes
 * @param userspaceAddr hva
 * @param guestMemfdOffset bytes
 * @param guestMemfd descriptor
 */
public record MemoryRegion(
        int slot,
        int flags,
        long guestPhysAddr,
        long memorySize,
        long userspaceAddr,
        long guestMemfdOffset,
        int guestMemfd) {
    /** A region of user memory alone, as version 1 of the ioctl knows it. */
    public static MemoryRegion user(int slot, int flags, long gpa, long size, long hva) {
        return new MemoryRegion(slot, flags, gpa, size, hva, 0, 0);
    }

    /** The request that deletes {@code slot}. */
    public static MemoryRegion deletion(int slot) {
        return user(slot, 0, 0, 0, 0);
    }

    int addressSpace() {
        return slot >>> 16;
    }

    int id() {
        return slot & 0xffff;
    }

    long npages() {
        return memorySize >>> 12;
    }

    long baseGfn() {
        return guestPhysAddr >>> 12;
    }

    boolean wantsGmem() {
        return (flags & Memslot.GUEST_MEMFD) != 0;
    }
}
