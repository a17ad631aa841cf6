package kvasir.kvm;

import java.util.function.BooleanSupplier;

/** The seams of one machine: {@link Seams#SEQUENTIAL} until a scheduler takes its place. */
public final class SwitchableSeams implements Seams {
    private Seams active = SEQUENTIAL;

    /** Hands all seams to {@code seams} from now on. */
    public void use(Seams seams) {
        active = seams;
    }

    @Override
    public void at(Seam seam, Object subject) {
        active.at(seam, subject);
    }

    @Override
    public void await(Object subject, BooleanSupplier ready) {
        active.await(subject, ready);
    }

    @Override
    public void spin(Object subject, int times) {
        active.spin(subject, times);
    }

    @Override
    public boolean sequential() {
        return active.sequential();
    }

    @Override
    public Footprint footprint() {
        return active.footprint();
    }

    @Override
    public int task() {
        return active.task();
    }
}
