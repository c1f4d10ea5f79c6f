"""Whether what a draft links to is there: asked in a task, remembered in rows."""
