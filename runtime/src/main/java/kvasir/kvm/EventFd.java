package kvasir.kvm;

import java.util.Optional;

/**
 * An eventfd of the VMM process: a counter that KVM_IOEVENTFD lets guests add to and that KVM_IRQFD listens to.
 * Descriptors of {@link kvasir.kvm.mm.Mm#descriptors} hold it.
 */
public final class EventFd {
    private long count;
    private Optional<Runnable> waiter = Optional.empty();

    /** write(2) of {@code value}, or eventfd_signal: who waits is woken. */
    public void signal(long value) {
        count += value;
        waiter.ifPresent(Runnable::run);
    }

    /** read(2): the counter, which becomes 0; 0 means that a reader would wait. */
    public long take() {
        long taken = count;
        count = 0;
        return taken;
    }

    /** The counter. */
    public long count() {
        return count;
    }

    void wake(Optional<Runnable> who) {
        waiter = who;
    }

    /** The counter as it is, as an action that puts it back. */
    Runnable checkpoint() {
        long saved = count;
        Optional<Runnable> savedWaiter = waiter;
        return () -> {
            count = saved;
            waiter = savedWaiter;
        };
    }
}
