def test_x():
    import sys

    import experiments
    import experiments.playbook as p

    print(experiments.__path__, experiments.__file__, p.__path__, sys.path[:6])
    assert 0
