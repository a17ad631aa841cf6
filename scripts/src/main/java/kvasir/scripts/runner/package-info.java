/**
 * Running scripts as tests: which files, which cases, one case in its machine, pictures rewritten in place.
 *
 * <p>Glossary
 * <ul>
 *   <li><b>plan</b>: the cases of a file under the semantics it names.
 *   <li><b>attempt</b>: one run of a case; a failed case is tried once more with its events kept.
 * </ul>
 */
@NullMarked
package kvasir.scripts.runner;

import org.jspecify.annotations.NullMarked;
