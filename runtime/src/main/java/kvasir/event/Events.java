package kvasir.event;

/**
 * The stream. One machine has one; a machine is confined to one thread at a time, so there is no lock here.
 *
 * <p>Producers write {@code if (events.listening()) events.emit(new SpteChanged(...))}: with nobody listening the
 * cost is one field read.
 */
public final class Events {
    private Listener[] listeners = {};
    private long sequence;
    private boolean muted;

    /** Receives every event in order. */
    @FunctionalInterface
    public interface Listener {
        /**
         * @param sequence position in the stream, from 1, without gaps while anyone listens
         * @param event what happened
         */
        void on(long sequence, Event event);

        /** Hears of something that is no part of the story, and has no place in the stream; most do not care. */
        default void aside(Event event) {}
    }

    /** Whether anyone listens. */
    public boolean listening() {
        return listeners.length != 0;
    }

    /** Sequence number of the newest event; 0 before the first. */
    public long sequence() {
        return sequence;
    }

    /** Adds {@code event} to the stream. */
    public void emit(Event event) {
        if (muted) {
            return;
        }
        sequence++;
        for (Listener listener : listeners) {
            listener.on(sequence, event);
        }
    }

    /** Tells listeners of something that is no part of the stream: it gets no number. */
    public void aside(Event event) {
        if (muted) {
            return;
        }
        for (Listener listener : listeners) {
            listener.aside(event);
        }
    }

    /** Whether what happens from now on is not told: it will be undone. */
    public void mute(boolean unheard) {
        muted = unheard;
    }

    /** Adds a listener after those already there. */
    public void add(Listener listener) {
        var grown = java.util.Arrays.copyOf(listeners, listeners.length + 1);
        grown[listeners.length] = listener;
        listeners = grown;
    }

    /** Removes a listener added before; nothing happens if it is not there. */
    public void remove(Listener listener) {
        listeners =
                java.util.Arrays.stream(listeners).filter(l -> l != listener).toArray(Listener[]::new);
    }
}
