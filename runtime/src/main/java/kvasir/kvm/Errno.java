package kvasir.kvm;

/** The errnos KVM answers with, by their Linux numbers. */
public enum Errno {
    EPERM(1),
    ENOENT(2),
    EINTR(4),
    EIO(5),
    ENXIO(6),
    E2BIG(7),
    EBADF(9),
    EAGAIN(11),
    ENOMEM(12),
    EFAULT(14),
    EBUSY(16),
    EEXIST(17),
    ENODEV(19),
    EINVAL(22),
    EMFILE(24),
    ENOTTY(25),
    ENOSPC(28),
    ENOSYS(38),
    EOPNOTSUPP(95),
    EHWPOISON(133);

    private final int number;

    Errno(int number) {
        this.number = number;
    }

    /** The positive number of {@code asm-generic/errno.h}. */
    public int number() {
        return number;
    }

    /** The errno whose number is {@code number} or {@code -number}. */
    public static Errno of(int number) {
        for (Errno errno : values()) {
            if (errno.number == Math.abs(number)) {
                return errno;
            }
        }
        throw new IllegalArgumentException("errno " + number);
    }
}
