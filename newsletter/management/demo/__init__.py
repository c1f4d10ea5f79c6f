"""The demonstration's content, and the steps that put it into an empty Wellread.

conditions/ articles/ issues/ publications.toml   what is written, to be read and edited
content  prose                                    reading those files
population.toml  population                       who the readers are
staff  publications  articles  readers  mailings  the steps, each of which may be run again
seed                                              all steps in their order
"""
