"""Files of leads that publishers upload: judged, mapped, and posted in chunks by the import of the command line."""
