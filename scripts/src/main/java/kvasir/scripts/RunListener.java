package kvasir.scripts;

import java.nio.file.Path;
import kvasir.event.Event;
import kvasir.event.Events;

/** Hears how a run goes, in order, on the thread that runs. Progress lines and reports are listeners. */
public interface RunListener {
    /** Nothing is heard. */
    RunListener SILENT = new RunListener() {};

    /**
     * The files are parsed and checked.
     *
     * @param cases number of cases that will be reported, those to be skipped included
     */
    default void planned(int cases) {}

    /** A file is no runnable script: it cannot be read, parsed or bound. Its cases are not in the plan. */
    default void rejected(Path file, Failure failure) {}

    /** A case begins. */
    default void started(Path file, String test, String semantics) {}

    /** The case that began last takes long; {@code how} says how far it is. Told now and then. */
    default void progress(String how) {}

    /** The machine did something; only with {@link RunOptions#trace()}. */
    default void event(long sequence, Event event) {}

    /** The machine of one schedule of a race did something; only with {@link RunOptions#trace()}. */
    default void raceEvent(long sequence, Event event) {}

    /** The machine was asked something that has no place in its stream; only with {@link RunOptions#trace()}. */
    default void aside(Event event) {}

    /** What a machine's stream is to tell. */
    default Events.Listener stream() {
        return new Events.Listener() {
            @Override
            public void on(long sequence, Event event) {
                RunListener.this.event(sequence, event);
            }

            @Override
            public void aside(Event event) {
                RunListener.this.aside(event);
            }
        };
    }

    /** A case has ended. */
    default void finished(CaseResult result) {}

    /** A picture was rewritten in a file. */
    default void updated(Path file, int line) {}

    /** Everything has ended. */
    default void ended(RunSummary summary) {}
}
